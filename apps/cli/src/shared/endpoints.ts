import type { ArmBody, BatchEndpointDraft, EndpointDraft } from '@mooring/azureml/yaml';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import type { ManagementClient, StoredResource } from '@mooring/sdk';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { confirm } from './confirm.ts';
import { fileFlag, localFlag, nameFlag, noWaitFlag, optionalName, setFlag, yesFlag } from './flags.ts';

/** What online and batch endpoints have in common on the command line: all verbs but those of traffic and of scoring. */

export type EndpointKind = 'online-endpoint' | 'batch-endpoint';

/** Name in examples. */
const sample: Readonly<Record<EndpointKind, string>> = { 'online-endpoint': 'cars', 'batch-endpoint': 'car-photos' };

const listed: Readonly<Record<EndpointKind, readonly string[]>> = {
  'online-endpoint': ['name', 'auth_mode', 'traffic', 'mirror_traffic', 'provisioning_state', 'scoring_uri'],
  'batch-endpoint': ['name', 'defaults', 'provisioning_state', 'scoring_uri'],
};

export function endpointsOf(kind: EndpointKind, client: ManagementClient) {
  return kind === 'online-endpoint' ? client.onlineEndpoints : client.batchEndpoints;
}

/** `about` says what stays as it is; `authMode` is the only one that there is. */
export function createEndpoint(kind: EndpointKind, about: string, authMode: 'key' | 'aad_token') {
  return defineCommand({
    summary: 'Create an endpoint, or replace its description',
    about,
    flags: {
      name: optionalName('endpoint'),
      file: fileFlag,
      authMode: { kind: 'text', names: ['--auth-mode'], value: 'MODE', about: authMode },
      set: setFlag,
      noWait: noWaitFlag,
      local: localFlag,
    },
    examples: [`mooring ${kind} create -f endpoint.yml`, `mooring ${kind} create -n ${sample[kind]}`],
    async run(args, context) {
      const { loadValue, loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
      const { applyBatchEndpoint, applyEndpoint } = await import('@mooring/sdk');
      const options = { kind, sets: args.set, overrides: { name: args.name, auth_mode: args.authMode } } as const;
      const draft =
        args.file === undefined
          ? await loadValue({}, { ...options, what: 'the endpoint', baseDir: '.' })
          : await loadYaml(args.file, options);
      const client = await context.client();
      const stored = await context.progress((onStep) => {
        const apply = { client, onStep, signal: context.signal, wait: !args.noWait };
        return draft.kind === 'batch-endpoint' ? applyBatchEndpoint(draft, apply) : applyEndpoint(draft, apply);
      });
      await context.print(yamlShapeOf(kind, stored.body));
    },
  });
}

export function showEndpoint(kind: EndpointKind) {
  return defineCommand({
    summary: 'Show an endpoint',
    flags: { name: nameFlag('endpoint'), local: localFlag },
    examples: [
      `mooring ${kind} show -n ${sample[kind]}`,
      `mooring ${kind} show -n ${sample[kind]} --query scoring_uri -o tsv`,
    ],
    async run(args, context) {
      const { yamlShapeOf } = await import('@mooring/azureml/yaml');
      const { body } = await endpointsOf(kind, await context.client()).get(args.name, context);
      await context.print(yamlShapeOf(kind, body));
    },
  });
}

export function listEndpoints(kind: EndpointKind) {
  return defineCommand({
    summary: 'List the endpoints',
    flags: { local: localFlag },
    examples: [`mooring ${kind} list -o table`],
    async run(_args, context) {
      const { yamlShapeOf } = await import('@mooring/azureml/yaml');
      const endpoints = await endpointsOf(kind, await context.client()).list(context);
      await context.print(
        endpoints.map((body) => yamlShapeOf(kind, body)),
        { fields: listed[kind] },
      );
    },
  });
}

export function deleteEndpoint(kind: EndpointKind) {
  return defineCommand({
    summary: 'Delete an endpoint and its deployments',
    flags: { name: nameFlag('endpoint'), yes: yesFlag, noWait: noWaitFlag, local: localFlag },
    examples: [`mooring ${kind} delete -n ${sample[kind]} --yes`],
    async run(args, context) {
      await confirm(`Delete the endpoint '${args.name}' and everything behind it?`, args.yes, context);
      const endpoints = endpointsOf(kind, await context.client());
      const there = await context.progress((onStep) => {
        onStep({ step: `deleting endpoint ${args.name}` });
        return endpoints.delete(args.name, { onStep, wait: !args.noWait, signal: context.signal });
      });
      if (!there) context.note(`there was no endpoint '${args.name}'`);
    },
  });
}

export function getCredentials(kind: EndpointKind) {
  return defineCommand({
    summary: 'Print the keys of an endpoint',
    flags: { name: nameFlag('endpoint') },
    examples: [`mooring ${kind} get-credentials -n ${sample[kind]} --query primaryKey -o tsv`],
    async run(args, context) {
      await context.print(await endpointsOf(kind, await context.client()).listKeys(args.name, context));
    },
  });
}

export function regenerateKeys(kind: EndpointKind) {
  return defineCommand({
    summary: 'Replace one of the two keys; the other goes on working',
    flags: {
      name: nameFlag('endpoint'),
      keyType: {
        kind: 'text',
        names: ['--key-type'],
        value: 'KEY',
        about: 'primary or secondary',
        choices: ['primary', 'secondary'],
      },
      noWait: noWaitFlag,
    },
    examples: [`mooring ${kind} regenerate-keys -n ${sample[kind]} --key-type primary`],
    async run(args, context) {
      const type = args.keyType ?? 'primary';
      const endpoints = endpointsOf(kind, await context.client());
      await endpoints.regenerateKeys(args.name, type === 'primary' ? 'Primary' : 'Secondary', {
        wait: !args.noWait,
        signal: context.signal,
      });
      context.note(`the ${type} key of '${args.name}' is new; get-credentials prints it`);
    },
  });
}

interface UpdateArgs {
  name: string | undefined;
  file: string | undefined;
  set: readonly string[];
  add: readonly string[];
  remove: readonly string[];
  noWait: boolean;
}

/**
 * Changes an endpoint by a file, or by what is stored with the changes of flags. `bodyOf` may keep or change what no field of the file
 * speaks of. The write is guarded: when somebody else changed the endpoint in between, it is made again on what they left.
 */
export async function updateEndpoint(
  kind: EndpointKind,
  args: UpdateArgs,
  context: CommandContext,
  bodyOf: (draft: EndpointDraft | BatchEndpointDraft, present: StoredResource) => ArmBody,
): Promise<void> {
  const { loadValue, loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
  const { whileStale } = await import('@mooring/sdk');
  const endpoints = endpointsOf(kind, await context.client());
  const overrides = { name: args.name };
  const options = { kind, sets: args.set, adds: args.add, removes: args.remove, overrides } as const;
  const fromFile = args.file === undefined ? undefined : await loadYaml(args.file, options);
  const update = async (onStep: (step: { step: string }) => void): Promise<StoredResource> => {
    const name = fromFile?.name ?? args.name ?? '';
    const present = await endpoints.get(name, context);
    const shape = { what: `endpoint ${name}`, baseDir: '.' };
    const draft = fromFile ?? (await loadValue(yamlShapeOf(kind, present.body), { ...options, ...shape }));
    onStep({ step: `updating endpoint ${name}` });
    return endpoints.put(name, bodyOf(draft, present), {
      ifMatch: present.etag,
      wait: !args.noWait,
      onStep,
      signal: context.signal,
    });
  };
  const stored = await context.progress((onStep) => whileStale(() => update(onStep)));
  await context.print(yamlShapeOf(kind, stored.body));
}

/** Throws PlatformError BAD_ARGUMENTS where an update names no endpoint or changes nothing; `problems` are those found before. */
export function requireUpdate(
  args: UpdateArgs,
  ownFlags: readonly string[],
  changedByOwn: boolean,
  problems: FieldProblem[] = [],
): void {
  const changed = args.set.length + args.add.length + args.remove.length > 0 || changedByOwn;
  if (args.name === undefined && args.file === undefined)
    problems.push({ path: '--name/-n', problem: 'is missing', expected: 'the endpoint, or a file' });
  if (!changed && args.file === undefined && problems.length === 0) {
    const expected = `${[...ownFlags, '--set', '--add', '--remove'].join(', ')} or --file`;
    problems.push({ path: '(flags)', problem: 'change nothing', expected });
  }
  if (problems.length > 0)
    throw new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', { problems });
}
