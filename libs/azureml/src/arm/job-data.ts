import { withoutQuery, type JobRecord } from '@mooring/domain';
import { datastoreUriOf, type Workspace } from './ids.ts';

/** An input or output of a job: files of a type, or a value. Types are in the words of Azure's control plane: `uri_folder`. */
export type JobData = { type: string; uri: string } | { type: 'literal'; value: string };

/** What a job reads, by the names that its caller gave. Whoever may see a job need not be given what signs an address. */
export function inputsOfJob({ input, pipeline }: JobRecord): [string, JobData][] {
  if (pipeline === undefined) return [[input.name, { type: input.type, uri: withoutQuery(input.uri) }]];
  return Object.entries(pipeline.inputs).map(([name, bound]) => [
    name,
    bound.kind === 'literal'
      ? { type: 'literal', value: bound.text }
      : { type: bound.type, uri: withoutQuery(bound.uri) },
  ]);
}

/** The folders that a job writes: `score` of a model, and those that a pipeline has. */
export function outputsOfJob({ output, pipeline }: JobRecord, workspace: Workspace): [string, JobData][] {
  const places = pipeline?.outputs ?? { score: { ...output, type: 'uri_folder' } };
  return Object.entries(places).map(([name, { type, container, folder }]) => [
    name,
    { type, uri: datastoreUriOf(workspace, `${container}/${folder}`) },
  ]);
}
