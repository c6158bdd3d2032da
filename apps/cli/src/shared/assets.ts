import { PlatformError } from '@mooring/errors';
import type { ArmResource, ListView, ManagementClient, StoredResource } from '@mooring/sdk';
import type { CommandContext } from '../context.ts';
import { assetRule, changeFlags, laterFlag, nameFlag, registryFlag, versionFlag } from './flags.ts';

/** What models, environments, data and components have in common on the command line. */

const collections = { model: 'models', environment: 'environments', data: 'data', component: 'components' } as const;
export type AssetKind = keyof typeof collections;
type Assets = ReturnType<ManagementClient['assets']>;

const labelFlag = {
  kind: 'text',
  names: ['--label', '-l'],
  value: 'LABEL',
  about: 'latest',
  choices: ['latest'],
} as const;

export const listFlags = {
  name: {
    kind: 'text',
    names: ['--name', '-n'],
    value: 'NAME',
    about: 'list the versions of this one',
    rule: assetRule,
  },
  includeArchived: { kind: 'switch', names: ['--include-archived'], about: 'archived ones too' },
  archivedOnly: { kind: 'switch', names: ['--archived-only'], about: 'archived ones only' },
  maxResults: {
    kind: 'whole',
    names: ['--max-results', '-r'],
    value: 'N',
    about: 'at most N',
    smallest: 1,
    largest: 1_000_000,
  },
  registry: registryFlag,
} as const;

export function showFlags(kind: AssetKind) {
  return { name: nameFlag(kind), version: versionFlag, label: labelFlag, registry: registryFlag } as const;
}

export function archiveFlags(kind: AssetKind) {
  const version = { ...versionFlag, about: 'only this version; else all of them' };
  return { name: nameFlag(kind), version, label: labelFlag, registry: registryFlag } as const;
}

export function updateFlags(kind: AssetKind) {
  return {
    ...showFlags(kind),
    ...changeFlags,
    stage: {
      kind: 'text',
      names: ['--stage'],
      value: 'STAGE',
      about: 'stage, such as Production',
      hidden: kind !== 'model',
    },
    description: { kind: 'text', names: ['--description', '-d'], value: 'TEXT', about: 'description' },
    datastore: laterFlag(['--datastore'], 'datastores of your own come'),
  } as const;
}

interface ListArgs {
  name: string | undefined;
  includeArchived: boolean;
  archivedOnly: boolean;
  maxResults: number | undefined;
}

export async function listAssets(kind: AssetKind, args: ListArgs, context: CommandContext): Promise<void> {
  const { yamlShapeOf } = await import('@mooring/azureml/yaml');
  const assets = await assetsOf(kind, context);
  const view: ListView = args.archivedOnly ? 'ArchivedOnly' : args.includeArchived ? 'All' : 'ActiveOnly';
  const found =
    args.name === undefined
      ? await assets.listContainers({ ...context, view })
      : await assets.listVersions(args.name, { ...context, view });
  const fields =
    args.name === undefined
      ? ['name', 'latest_version', 'description']
      : ['name', 'version', 'type', 'description', 'archived'];
  await context.print(
    found.slice(0, args.maxResults).map((body) => yamlShapeOf(kind, body)),
    { fields },
  );
}

interface ShowArgs {
  name: string;
  version: string | undefined;
}

export async function showAsset(kind: AssetKind, args: ShowArgs, context: CommandContext): Promise<void> {
  const { yamlShapeOf } = await import('@mooring/azureml/yaml');
  const { body } = await versionOf(kind, args, context);
  await context.print(yamlShapeOf(kind, body));
}

interface UpdateArgs extends ShowArgs {
  set: readonly string[];
  add: readonly string[];
  remove: readonly string[];
  stage: string | undefined;
  description: string | undefined;
}

export async function updateAsset(kind: AssetKind, args: UpdateArgs, context: CommandContext): Promise<void> {
  const given = Object.fromEntries(
    Object.entries({ stage: args.stage, description: args.description }).filter(([, value]) => value !== undefined),
  );
  if (Object.keys(given).length + args.set.length + args.add.length + args.remove.length === 0) {
    throw new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'nothing is to be changed', {
      problems: [{ path: '(flags)', problem: 'change nothing', expected: '--set, --add, --remove or --description' }],
    });
  }
  const { changeAsset, yamlShapeOf } = await import('@mooring/azureml/yaml');
  const { writable } = await import('@mooring/sdk');
  const { body, etag } = await versionOf(kind, args, context);
  const version = versionName(body);
  const current = { ...yamlShapeOf(kind, body), ...given };
  const changes = { sets: args.set, adds: args.add, removes: args.remove };
  const change = changeAsset(kind, current, changes, `${kind} ${args.name}:${version}`);
  const changed = writable(body);
  const {
    description: _description,
    tags: _tags,
    properties: _properties,
    stage: _stage,
    ...fixed
  } = changed.properties;
  const assets = await assetsOf(kind, context);
  const write = { ifMatch: etag, signal: context.signal };
  const stored = await assets.putVersion(args.name, version, { properties: { ...fixed, ...change } }, write);
  await context.print(yamlShapeOf(kind, stored.body));
}

/** Archives or restores one version, or all of them when none is named. */
export async function setArchived(
  kind: AssetKind,
  args: ShowArgs & { label: string | undefined },
  archived: boolean,
  context: CommandContext,
): Promise<void> {
  const { writable } = await import('@mooring/sdk');
  const assets = await assetsOf(kind, context);
  const one = args.version !== undefined || args.label !== undefined;
  const bodies: ArmResource[] = one
    ? [(await versionOf(kind, args, context)).body]
    : await assets.listVersions(args.name, { ...context, view: archived ? 'ActiveOnly' : 'ArchivedOnly' });
  if (bodies.length === 0) context.note(`no version of '${args.name}' is ${archived ? 'active' : 'archived'}`);
  for (const body of bodies) {
    const { properties } = writable({ ...body, properties: body.properties });
    await assets.putVersion(
      args.name,
      versionName(body),
      { properties: { ...properties, isArchived: archived } },
      { signal: context.signal },
    );
    context.note(`${archived ? 'archived' : 'restored'} ${kind} ${args.name}:${versionName(body)}`);
  }
}

async function assetsOf(kind: AssetKind, context: CommandContext): Promise<Assets> {
  return (await context.client()).assets(collections[kind]);
}

/** The named version, else the newest. */
async function versionOf(
  kind: AssetKind,
  { name, version }: ShowArgs,
  context: CommandContext,
): Promise<StoredResource> {
  const assets = await assetsOf(kind, context);
  if (version !== undefined) return assets.getVersion(name, version, context);
  const latest = await assets.latestVersion(name, context);
  if (latest !== undefined) return assets.getVersion(name, versionName(latest), context);
  throw new PlatformError(
    'not_found',
    `${kind.toUpperCase()}_NOT_FOUND`,
    `there is no ${kind === 'data' ? 'data asset' : kind} '${name}'`,
  );
}

function versionName(body: ArmResource): string {
  return body.name ?? '';
}
