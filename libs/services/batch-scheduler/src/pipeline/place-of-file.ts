import { entryOf, type JobRecord } from '@mooring/domain';

/** Where a file of a job's output lies in the store: of a step, what is below the name of one of its outputs lies in that output's place. */
export function placeOfFile(
  { output, step }: Pick<JobRecord, 'output' | 'step'>,
  file: string,
): { container: string; path: string } {
  const slash = file.indexOf('/');
  const own = slash > 0 && step !== undefined ? entryOf(step.outputs, file.slice(0, slash)) : undefined;
  if (own === undefined) return { container: output.container, path: `${output.folder}/${file}` };
  return { container: own.container, path: `${own.folder}/${file.slice(slash + 1)}` };
}
