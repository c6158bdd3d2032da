import { laterProblem } from '@mooring/domain';
import { isObject, wrong, type Field, type Reading } from '../../reading/fields.ts';
import { laterReference, readReference, type AssetReference, type AssetType } from '../../reading/references.ts';
import { present } from '../../reading/present.ts';
import type { DeploymentDraft, LocalFiles, ScoringCode, Source } from '../drafts.ts';
import { filesBelow, localFolder, scoringScript, type LocalContext } from '../local-files.ts';
import { draftEnvironment, type EnvironmentValues } from './environment.ts';
import { draftModel, type ModelValues } from './model.ts';

/** What online and batch deployments are made of alike. */

export type Either<V> = { reference: AssetReference } | { values: V };

/** An asset by reference or as a mapping in place. */
export function asset<V>(
  type: AssetType,
  readInline: (value: unknown, path: string, reading: Reading) => V | undefined,
): Field<Either<V>> {
  return {
    read(value, path, reading) {
      if (typeof value === 'string') {
        const reference = readReference(value, type, path, reading);
        return reference && { reference };
      }
      if (!isObject(value)) return wrong(reading, path, value, 'a reference (azureml:<name>:<version>) or a mapping');
      const values = readInline(value, path, reading);
      return values && { values };
    },
  };
}

export async function sourceOf<V, D>(
  either: Either<V> | undefined,
  draft: (values: V) => Promise<D | undefined>,
): Promise<Source<D> | undefined> {
  if (either === undefined) return undefined;
  if ('reference' in either) return { reference: either.reference };
  const inline = await draft(either.values);
  return inline && { inline };
}

/** Whether the user wrote the field, however wrong its value is. */
export function has(value: unknown, field: string): boolean {
  return isObject(value) && (value[field] ?? undefined) !== undefined;
}

/** Without code a model must serve itself: an ONNX model does; MLflow and Triton folders will. */
export function noteCodeless(model: Either<ModelValues> | undefined, value: unknown, reading: Reading): void {
  if (!isObject(value) || has(value, 'code_configuration')) return;
  const type = model && 'values' in model ? model.values.type : undefined;
  if (type === 'mlflow_model')
    reading.problems.push(laterProblem('model.type', 'MLflow models without a scoring script'));
  if (type === 'triton_model')
    reading.problems.push(laterProblem('model.type', 'Triton models without a scoring script'));
}

/** A model in place that is to serve itself must hold an ONNX file. */
async function noteMissingOnnx(files: LocalFiles, context: LocalContext): Promise<void> {
  const names = files.path.endsWith('.onnx') ? [files.path] : await filesBelow(files.path);
  if (names.some((name) => name.endsWith('.onnx'))) return;
  context.problems.push({
    path: 'code_configuration',
    problem: `is missing, and ${files.path} holds no ONNX model that could be served without it`,
    expected: 'code and scoring_script, or a model with an .onnx file',
  });
}

/** The code folder and the script in it, which must be there and parse; undefined also when a problem was noted. */
async function readCode(
  configuration: { code?: string; scoring_script?: string } | undefined,
  reading: Reading,
  context: LocalContext,
): Promise<ScoringCode | undefined> {
  const { code, scoring_script: script } = configuration ?? {};
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

/** The code, model and environment that a deployment's file names or holds, local files included. */
export async function readSources(
  read: {
    code_configuration?: { code?: string; scoring_script?: string };
    model?: Either<ModelValues>;
    environment?: Either<EnvironmentValues>;
  },
  reading: Reading,
  context: LocalContext,
): Promise<Pick<DeploymentDraft, 'code' | 'model' | 'environment'>> {
  const code = await readCode(read.code_configuration, reading, context);
  const model = await sourceOf(read.model, (values) => draftModel(values, 'model', context));
  const environment = await sourceOf(read.environment, (values) => draftEnvironment(values, 'environment', context));
  if (model !== undefined && 'inline' in model && read.code_configuration === undefined)
    await noteMissingOnnx(model.inline.files, context);
  return present({ code, model, environment });
}

/** A field, or a word of one, that makes the file one of another kind. */
export function ofKind(kind: string): Field<never> {
  return {
    hidden: true,
    read(_value, path, reading) {
      const words = `${kind.replace('-', ' ')}s`;
      reading.problems.push({ path, problem: `is for ${words}`, expected: `mooring ${kind} create -f <this file>` });
      return undefined;
    },
  };
}
