import { laterProblem, type SpecProblem } from '@mooring/domain';
import type { YamlKind } from './drafts.ts';
import { isObject } from '../reading/fields.ts';

/** What the address in `$schema` ends in, before `.schema.json`; the usual one first. */
export const schemaNames: Readonly<Record<YamlKind, readonly [string, ...string[]]>> = {
  'online-endpoint': ['managedOnlineEndpoint'],
  'online-deployment': ['managedOnlineDeployment'],
  'batch-endpoint': ['batchEndpoint'],
  'batch-deployment': ['modelBatchDeployment', 'batchDeployment', 'pipelineComponentBatchDeployment'],
  model: ['model'],
  environment: ['environment'],
  data: ['data'],
  component: ['pipelineComponent', 'commandComponent', 'parallelComponent'],
};

const kubernetes = 'Kubernetes as a compute target';

const laterSchemas: Readonly<Record<string, string>> = {
  kubernetesonlineendpoint: kubernetes,
  kubernetesonlinedeployment: kubernetes,
  pipelinejob: 'jobs',
  serverlessendpoint: 'serverless endpoints',
  marketplacesubscription: 'marketplace subscriptions',
};

/** In lower case; undefined where the document names no schema. */
export function schemaOf(value: unknown): string | undefined {
  const schema = isObject(value) ? value['$schema'] : undefined;
  return typeof schema === 'string' ? /([^/]{1,100})\.schema\.json$/i.exec(schema)?.[1]?.toLowerCase() : undefined;
}

export function isSchemaOf(value: unknown, kind: YamlKind): boolean {
  const schema = schemaOf(value);
  return schemaNames[kind].some((name) => name.toLowerCase() === schema);
}

/**
 * The problems of a document that could not be read as `kind`, where its `$schema` says that it is of another. A good
 * document is read as what the caller says it is, whatever its `$schema`; Azure's client does not look at it either.
 */
export function noteOtherSchema(value: unknown, kind: YamlKind, problems: readonly SpecProblem[]): SpecProblem[] {
  const schema = schemaOf(value) ?? '';
  const capability = Object.hasOwn(laterSchemas, schema) ? laterSchemas[schema] : undefined;
  if (capability !== undefined) return [laterProblem('$schema', capability)];
  const other = (Object.keys(schemaNames) as YamlKind[]).find((candidate) => isSchemaOf(value, candidate));
  if (other === undefined || other === kind) return [...problems];
  const note = { path: '$schema', problem: `says that this is of kind ${other}, not ${kind}` };
  return [{ ...note, expected: `mooring ${other} create -f <this file>` }, ...problems];
}
