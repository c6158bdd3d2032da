import { assetNameRule, isAssetName, laterProblem } from '@mooring/domain';
import { wrong, type Reading } from './fields.ts';

export type AssetType = 'models' | 'environments' | 'codes' | 'components';

/** A pointer to an asset that is stored already. */
export type AssetReference =
  | { form: 'version'; type: AssetType; name: string; version: string }
  | { form: 'latest'; type: AssetType; name: string };

const singular: Readonly<Record<AssetType, string>> = {
  models: 'model',
  environments: 'environment',
  codes: 'code',
  components: 'component',
};

const armId =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.MachineLearningServices\/workspaces\/[^/]+\/([^/]+)\/([^/]+)\/versions\/([^/]+)$/i;

/**
 * Azure's reference grammar (azureml-contract 1): `azureml:name:version`, `azureml:name@latest`, `azureml:<ARM id>` or
 * a bare ARM id. Registries, datastores, job outputs and web addresses are noted as later capabilities.
 */
export function readReference(
  value: string,
  type: AssetType,
  path: string,
  reading: Reading,
): AssetReference | undefined {
  const capability = laterReference(value);
  if (capability !== undefined) {
    reading.problems.push(laterProblem(path, capability));
    return undefined;
  }
  const body = value.startsWith('azureml:') ? value.slice('azureml:'.length) : value;
  if (body.startsWith('/')) return readArmId(body, type, path, reading);
  if (body !== value) return readShort(body, type, path, reading);
  return wrong(reading, path, value, bareWordHint(value, type));
}

/** What a `path` or reference that is no local one asks for, or undefined when it is local or a plain reference. */
export function laterReference(value: string): string | undefined {
  if (/^azureml:\/\/(registries|locations)\//i.test(value)) return 'assets of a shared registry';
  if (/^azureml:\/\/jobs\//i.test(value)) return 'outputs of a job as a source';
  if (/^azureml:\/\//i.test(value)) return 'files of a datastore as a source';
  if (/^runs:\//i.test(value)) return 'files of an MLflow run as a source';
  if (/^(https?|wasbs?|abfss?|adl|s3|gs):\/\//i.test(value)) return 'files of a remote address as a source';
  return undefined;
}

function readArmId(id: string, type: AssetType, path: string, reading: Reading): AssetReference | undefined {
  const match = armId.exec(id);
  const [, collection = '', name = '', version = ''] = match ?? [];
  if (match === null || collection.toLowerCase() !== type) {
    return wrong(
      reading,
      path,
      id,
      `the ARM id of a version of a ${singular[type]}: .../${type}/<name>/versions/<version>`,
    );
  }
  return { form: 'version', type, name: decodeURIComponentSafely(name), version: decodeURIComponentSafely(version) };
}

function readShort(body: string, type: AssetType, path: string, reading: Reading): AssetReference | undefined {
  const [, name = '', mark = '', rest = ''] = /^([^:@]*)([:@]?)(.*)$/s.exec(body) ?? [];
  const good = `azureml:${isAssetName(name) ? name : '<name>'}`;
  if (!isAssetName(name)) return wrong(reading, path, `azureml:${body}`, `a name of ${assetNameRule}`);
  if (mark === '') return wrong(reading, path, `azureml:${body}`, `a version: ${good}:1 or ${good}@latest`);
  if (mark === '@') {
    if (rest === 'latest') return { form: 'latest', type, name };
    return wrong(reading, path, `azureml:${body}`, `the label 'latest': ${good}@latest`);
  }
  if (!isAssetName(rest)) return wrong(reading, path, `azureml:${body}`, `a version after the colon: ${good}:1`);
  return { form: 'version', type, name, version: rest };
}

function bareWordHint(value: string, type: AssetType): string {
  const kind = singular[type];
  if (/^[\w.-]+[:@][\w.-]+$/.test(value)) return `azureml:${value}`;
  if (type === 'models') return `azureml:<name>:<version>, or for local files: {path: ${value.slice(0, 60)}}`;
  return `azureml:<name>:<version>, azureml:<name>@latest, or the ${kind} itself as a mapping`;
}

function decodeURIComponentSafely(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
