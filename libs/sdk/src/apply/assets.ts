import { createHash } from 'node:crypto';
import type {
  AssetReference,
  DataDraft,
  EnvironmentDraft,
  LocalFiles,
  ModelDraft,
  ScoringCode,
  Source,
} from '@mooring/azureml/yaml';
import { PlatformError } from '@mooring/errors';
import { textOf } from '../arm-error.ts';
import type { ArmResource, StoredResource } from '../arm-rest.ts';
import type { AssetCollection } from '../client.ts';
import { scan, upload, type ApplyContext } from './context.ts';

/**
 * Uploads a model's files and stores its version. Without a name it is anonymous: named by its content, so that the
 * same files are one model however often they are deployed (azureml-contract 1.6).
 */
export async function applyModel(draft: ModelDraft, context: ApplyContext): Promise<StoredResource> {
  const models = context.client.assets('models');
  const set = await scan(draft.files, context);
  const name = draft.name ?? set.sha256;
  const version = draft.version ?? (draft.name === undefined ? '1' : await nextVersion('models', name, context));
  const target = await models.startPendingUpload(name, version, context);
  const modelUri = await upload(set, target, 'model', context);
  context.onStep?.({ step: `storing model ${name}:${version}` });
  const body = { ...draft.body, properties: { ...draft.body.properties, modelUri } };
  return models.putVersion(name, version, body, { ...context, wait: true });
}

/** Stores an environment's version, its build folder uploaded. Without a name its version is its content's digest. */
export async function applyEnvironment(draft: EnvironmentDraft, context: ApplyContext): Promise<StoredResource> {
  const properties = { ...draft.body.properties };
  if (draft.buildContext !== undefined) {
    const set = await scan(draft.buildContext, context);
    // The contract has no upload of its own for build contexts; code's takes any folder.
    const target = await context.client.assets('codes').startPendingUpload(uuidOf(set.sha256), '1', context);
    const contextUri = await upload(set, target, 'build folder', context);
    properties['build'] = { ...(properties['build'] as object), contextUri };
  }
  const name = draft.name ?? 'CliV2AnonymousEnvironment';
  const version =
    draft.version ??
    (draft.name === undefined ? digestOf(properties) : await nextVersion('environments', name, context));
  context.onStep?.({ step: `storing environment ${name}:${version}` });
  return context.client.assets('environments').putVersion(name, version, { properties }, { ...context, wait: true });
}

/** Uploads a code folder that must hold `scoringScript`, if there is one; resolves to the ARM id of its version. */
export async function applyCode(
  files: LocalFiles,
  scoringScript: string | undefined,
  context: ApplyContext,
): Promise<string> {
  const set = await scan(files, context);
  const wanted = scoringScript?.replace(/^\.\//, '').replace(/\/{2,}/g, '/');
  if (wanted !== undefined && !set.files.some((file) => file.name === wanted)) {
    const problem = {
      path: 'code_configuration.scoring_script',
      problem: `'${scoringScript}' is ignored by .amlignore or .gitignore`,
      expected: 'a file that is uploaded',
    };
    throw PlatformError.invalid(files.path, [problem]);
  }
  const codes = context.client.assets('codes');
  const name = uuidOf(set.sha256);
  const codeUri = await upload(set, await codes.startPendingUpload(name, '1', context), 'code', context);
  const properties = {
    codeUri,
    isAnonymous: true,
    tags: {},
    properties: { hash_sha256: set.sha256, hash_version: '202208' },
  };
  const { body } = await codes.putVersion(name, '1', { properties }, { ...context, wait: true });
  return idOf(body);
}

/** Stores a version of a data asset, its files uploaded unless they are on the platform already. */
export async function applyData(draft: DataDraft, context: ApplyContext): Promise<StoredResource> {
  const data = context.client.assets('data');
  const version = draft.version ?? (await nextVersion('data', draft.name, context));
  const properties = { ...draft.body.properties };
  if (draft.files !== undefined) {
    const set = await scan(draft.files, context);
    const target = await data.startPendingUpload(draft.name, version, context);
    properties['dataUri'] = await upload(set, target, 'data', context);
  }
  context.onStep?.({ step: `storing data ${draft.name}:${version}` });
  return data.putVersion(draft.name, version, { properties }, { ...context, wait: true });
}

/** A job reads many files. */
const inputFilesMax = 200_000;

/**
 * Uploads a file or folder for one job, or of a folder the files that match `glob`; resolves to its
 * `azureml://datastores/<container>/paths/<path>`. What is there already is not sent again.
 */
export async function uploadInput(
  { glob, ...files }: LocalFiles & { glob?: string | undefined },
  context: ApplyContext,
): Promise<string> {
  // Addresses of inputs may be patterns, and this one is none.
  const name = files.name.replace(/[*?[\]{}\\\p{Cc}]/gu, '_');
  const set = await scan({ ...files, name }, context, { glob, filesMax: inputFilesMax });
  const target = await context.client.assets('data').startPendingUpload(uuidOf(set.sha256), '1', context);
  const address = new URL(await upload(set, target, 'input', context));
  const [, container, path] = /\/blob\/([^/]+)\/(.+)$/.exec(decodeURIComponent(address.pathname)) ?? [];
  if (container === undefined || path === undefined) {
    throw new PlatformError('internal', 'BAD_UPLOAD_ADDRESS', 'the server gave an address that is none of its uploads');
  }
  return `azureml://datastores/${container}/paths/${path}`;
}

/** What a deployment of either kind is made of, stored now where it is not yet; as properties of its body. */
export async function idsOfSources(
  draft: { model?: Source<ModelDraft>; environment?: Source<EnvironmentDraft>; code?: ScoringCode },
  context: ApplyContext,
): Promise<{ model?: string; environmentId?: string; codeConfiguration?: { codeId: string; scoringScript: string } }> {
  const model = await idOfSource(draft.model, (inline) => applyModel(inline, context), context);
  const environmentId = await idOfSource(draft.environment, (inline) => applyEnvironment(inline, context), context);
  const { code } = draft;
  const codeId =
    code &&
    ('files' in code.source
      ? await applyCode(code.source.files, code.scoringScript, context)
      : await resolveReference(code.source.reference, context));
  return {
    ...(model === undefined ? {} : { model }),
    ...(environmentId === undefined ? {} : { environmentId }),
    ...(code === undefined || codeId === undefined
      ? {}
      : { codeConfiguration: { codeId, scoringScript: code.scoringScript } }),
  };
}

/** The ARM id of a reference, checked to exist, or of a draft stored now. */
export async function idOfSource<D>(
  source: Source<D> | undefined,
  store: (draft: D) => Promise<StoredResource>,
  context: ApplyContext,
): Promise<string | undefined> {
  if (source === undefined) return undefined;
  return 'reference' in source ? resolveReference(source.reference, context) : idOf((await store(source.inline)).body);
}

/** The ARM id behind a reference. Rejects with `not_found` when there is no such version. */
export async function resolveReference(reference: AssetReference, context: ApplyContext): Promise<string> {
  const assets = context.client.assets(reference.type);
  if (reference.form === 'version')
    return idOf((await assets.getVersion(reference.name, reference.version, context)).body);
  const latest = await assets.latestVersion(reference.name, context).catch((thrown: unknown) => {
    if (thrown instanceof PlatformError && thrown.code === 'not_found') return undefined;
    throw thrown;
  });
  if (latest !== undefined) return idOf(latest);
  const kind = reference.type.slice(0, -1);
  throw new PlatformError(
    'not_found',
    `${kind.toUpperCase()}_NOT_FOUND`,
    `there is no version of the ${kind} '${reference.name}'`,
  );
}

/** The version a new asset gets when the user names none. */
export async function nextVersion(collection: AssetCollection, name: string, context: ApplyContext): Promise<string> {
  try {
    const { body } = await context.client.assets(collection).getContainer(name, context);
    return textOf(body.properties['nextVersion']) ?? '1';
  } catch (thrown) {
    if (thrown instanceof PlatformError && thrown.code === 'not_found') return '1';
    throw thrown;
  }
}

function idOf(body: ArmResource): string {
  if (body.id === undefined)
    throw new PlatformError('internal', 'NO_ID', 'the server answered a resource without an id');
  return body.id;
}

/** A code asset's name is a UUID; this one is the content's, so that the same folder is the same asset. */
export function uuidOf(sha256: string): string {
  return [
    sha256.slice(0, 8),
    sha256.slice(8, 12),
    sha256.slice(12, 16),
    sha256.slice(16, 20),
    sha256.slice(20, 32),
  ].join('-');
}

function digestOf(properties: Record<string, unknown>): string {
  const sorted = Object.entries(properties).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('hex');
}
