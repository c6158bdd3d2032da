import { readMooringSettings, laterProblem } from '@mooring/domain';
import type { DeploymentDraft, LocalFiles, Source } from '../drafts.ts';
import { isObject, type Reading } from '../../reading/fields.ts';
import { filesBelow, localFolder, scoringScript, type LocalContext } from '../local-files.ts';
import { laterReference, readReference } from '../../reading/references.ts';
import { draftEnvironment } from './environment.ts';
import { draftModel } from './model.ts';
import { bodyOf } from './online-deployment-body.ts';
import { batchFields, deployment, type DeploymentValues, type Either } from './online-deployment-fields.ts';
import { present } from '../../reading/present.ts';

/** azureml-contract 1.3, local files included. Undefined when a problem was noted. */
export async function readOnlineDeployment(
  value: unknown,
  reading: Reading,
  context: LocalContext,
): Promise<DeploymentDraft | undefined> {
  const read = deployment.read(value, '', reading);
  if (read === undefined) return undefined;
  noteKindOfServing(read, value, reading);
  reading.problems.push(...readMooringSettings(read.properties ?? {}).problems);
  dropProblemsOfAnotherType(reading);
  if (reading.problems.some((problem) => problem.later)) return undefined;
  const code = await readCode(read, reading, context);
  const model = await sourceOf(read.model, (values) => draftModel(values, 'model', context));
  const environment = await sourceOf(read.environment, (values) => draftEnvironment(values, 'environment', context));
  if (model !== undefined && 'inline' in model && read.code_configuration === undefined)
    await noteMissingOnnx(model.inline.files, context);
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
    ({ path, later: isLater }) => isLater && (path === 'type' || Object.hasOwn(batchFields, path)),
  );
  if (type !== undefined) reading.problems.splice(0, reading.problems.length, type);
}

/** Without code a model must serve itself: an ONNX model does; MLflow and Triton folders will. */
function noteKindOfServing(read: DeploymentValues, value: unknown, reading: Reading): void {
  if (!isObject(value) || (value['code_configuration'] ?? undefined) !== undefined) return;
  const type = read.model && 'values' in read.model ? read.model.values.type : undefined;
  if (type === 'mlflow_model')
    reading.problems.push(laterProblem('model.type', 'MLflow models without a scoring script'));
  if (type === 'triton_model')
    reading.problems.push(laterProblem('model.type', 'Triton models without a scoring script'));
  if ((value['model'] ?? undefined) === undefined) {
    reading.problems.push({
      path: 'model',
      problem: 'is missing',
      expected: 'a model, or code_configuration with a scoring script',
    });
  }
}

async function noteMissingOnnx(files: LocalFiles, context: LocalContext): Promise<void> {
  const names = files.path.endsWith('.onnx') ? [files.path] : await filesBelow(files.path);
  if (names.some((name) => name.endsWith('.onnx'))) return;
  context.problems.push({
    path: 'code_configuration',
    problem: `is missing, and ${files.path} holds no ONNX model that could be served without it`,
    expected: 'code and scoring_script, or a model with an .onnx file',
  });
}

async function readCode(
  read: DeploymentValues,
  reading: Reading,
  context: LocalContext,
): Promise<DeploymentDraft['code'] | undefined> {
  const { code, scoring_script: script } = read.code_configuration ?? {};
  if (code === undefined || script === undefined) return undefined;
  const path = 'code_configuration.code';
  const capability = laterReference(code);
  if (capability !== undefined) {
    reading.problems.push(laterProblem(path, capability));
    return undefined;
  }
  if (code.startsWith('azureml:') || /^\/subscriptions\//i.test(code)) {
    const reference = readReference(code, 'codes', path, reading);
    return reference && { source: { reference }, scoringScript: script };
  }
  const files = await localFolder(code, path, context);
  if (files === undefined) return undefined;
  await scoringScript(files.path, script, 'code_configuration.scoring_script', context);
  return { source: { files }, scoringScript: script };
}

async function sourceOf<V, D>(
  either: Either<V> | undefined,
  draft: (values: V) => Promise<D | undefined>,
): Promise<Source<D> | undefined> {
  if (either === undefined) return undefined;
  if ('reference' in either) return { reference: either.reference };
  const inline = await draft(either.values);
  return inline && { inline };
}
