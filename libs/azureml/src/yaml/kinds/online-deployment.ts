import { readMooringSettings } from '@mooring/domain';
import type { DeploymentDraft } from '../drafts.ts';
import { isObject, type Reading } from '../../reading/fields.ts';
import type { LocalContext } from '../local-files.ts';
import { has, noteCodeless, readSources } from './deployment-parts.ts';
import { bodyOf } from './online-deployment-body.ts';
import { batchFields, deployment } from './online-deployment-fields.ts';
import { present } from '../../reading/present.ts';

/** azureml-contract 1.3, local files included. Undefined when a problem was noted. */
export async function readOnlineDeployment(
  value: unknown,
  reading: Reading,
  context: LocalContext,
): Promise<DeploymentDraft | undefined> {
  const read = deployment.read(value, '', reading);
  if (read === undefined) return undefined;
  noteCodeless(read.model, value, reading);
  noteNothingToServe(value, reading);
  reading.problems.push(...readMooringSettings(read.properties ?? {}).problems);
  dropProblemsOfAnotherType(reading);
  if (reading.problems.some((problem) => problem.later)) return undefined;
  const { code, model, environment } = await readSources(read, reading, context);
  if (read.name === undefined || read.endpoint_name === undefined || reading.problems.length > 0) return undefined;
  return {
    kind: 'online-deployment',
    name: read.name,
    endpointName: read.endpoint_name,
    body: bodyOf(read),
    ...present({ model, environment, code }),
  } as DeploymentDraft;
}

/** A Kubernetes or batch deployment has other rules; what the managed one's say of it would only mislead. */
function dropProblemsOfAnotherType(reading: Reading): void {
  const type = reading.problems.find(
    ({ path, problem, later }) =>
      (later && path === 'type') ||
      (problem.startsWith('is for ') && (path === 'type' || Object.hasOwn(batchFields, path))),
  );
  if (type !== undefined) reading.problems.splice(0, reading.problems.length, type);
}

function noteNothingToServe(value: unknown, reading: Reading): void {
  if (!isObject(value) || has(value, 'code_configuration') || has(value, 'model')) return;
  reading.problems.push({
    path: 'model',
    problem: 'is missing',
    expected: 'a model, or code_configuration with a scoring script',
  });
}
