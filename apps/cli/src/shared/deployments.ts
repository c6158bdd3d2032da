import type { BatchDeploymentDraft, DeploymentDraft } from '@mooring/azureml/yaml';
import { PlatformError } from '@mooring/errors';
import type { ApplyContext, ManagementClient, StoredResource } from '@mooring/sdk';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { confirm } from './confirm.ts';
import {
  changeFlags,
  endpointFlag,
  fileFlag,
  localFlag,
  nameFlag,
  noWaitFlag,
  optionalEndpoint,
  optionalName,
  setFlag,
  yesFlag,
} from './flags.ts';

/** What online and batch deployments have in common on the command line. */

export type DeploymentKind = 'online-deployment' | 'batch-deployment';
export type AnyDeploymentDraft = DeploymentDraft | BatchDeploymentDraft;

/** Names in examples. */
const sample: Readonly<Record<DeploymentKind, string>> = {
  'online-deployment': '-n luca -e cars',
  'batch-deployment': '-n luca -e car-photos',
};

const listed: Readonly<Record<DeploymentKind, readonly string[]>> = {
  'online-deployment': ['name', 'model', 'instance_type', 'instance_count', 'provisioning_state'],
  'batch-deployment': ['name', 'model', 'component', 'mini_batch_size', 'output_action', 'provisioning_state'],
};

const skipScriptValidation = {
  kind: 'switch',
  names: ['--skip-script-validation'],
  about: 'do not parse the scoring script here',
} as const;

export function deploymentsOf(kind: DeploymentKind, client: ManagementClient) {
  return kind === 'online-deployment' ? client.onlineDeployments : client.batchDeployments;
}

export function showDeployment(kind: DeploymentKind) {
  return defineCommand({
    summary: 'Show a deployment',
    flags: { name: nameFlag('deployment'), endpoint: endpointFlag, local: localFlag },
    examples: [`mooring ${kind} show ${sample[kind]}`],
    async run(args, context) {
      const { yamlShapeOf } = await import('@mooring/azureml/yaml');
      const { body } = await deploymentsOf(kind, await context.client()).get(args.endpoint, args.name, context);
      await context.print(yamlShapeOf(kind, body));
    },
  });
}

export function listDeployments(kind: DeploymentKind) {
  return defineCommand({
    summary: 'List the deployments of an endpoint',
    flags: { endpoint: endpointFlag, local: localFlag },
    examples: [`mooring ${kind} list ${sample[kind].replace(/^-n \S+ /, '')} -o table`],
    async run(args, context) {
      const { yamlShapeOf } = await import('@mooring/azureml/yaml');
      const deployments = await deploymentsOf(kind, await context.client()).list(args.endpoint, context);
      const shapes = deployments.map((body) => yamlShapeOf(kind, body));
      // A column that none of them has says nothing.
      const fields = listed[kind].filter((field) => field !== 'component' || shapes.some((shape) => field in shape));
      await context.print(shapes, { fields });
    },
  });
}

export function deleteDeployment(kind: DeploymentKind, summary: string) {
  return defineCommand({
    summary,
    flags: { name: nameFlag('deployment'), endpoint: endpointFlag, yes: yesFlag, noWait: noWaitFlag, local: localFlag },
    examples: [`mooring ${kind} delete ${sample[kind]} --yes`],
    async run(args, context) {
      await confirm(`Delete the deployment '${args.name}' of '${args.endpoint}'?`, args.yes, context);
      const deployments = deploymentsOf(kind, await context.client());
      const there = await context.progress((onStep) => {
        onStep({ step: `deleting deployment ${args.endpoint}/${args.name}` });
        return deployments.delete(args.endpoint, args.name, { onStep, wait: !args.noWait, signal: context.signal });
      });
      if (!there) context.note(`there was no deployment '${args.name}' behind '${args.endpoint}'`);
    },
  });
}

/** Of the command that makes a deployment; `fileFlag` is required, for the model cannot be said by flags alone. */
export const createDeploymentFlags = {
  name: optionalName('deployment'),
  endpoint: optionalEndpoint,
  file: { ...fileFlag, required: true },
  skipScriptValidation,
  set: setFlag,
  noWait: noWaitFlag,
  local: localFlag,
} as const;

interface CreateArgs {
  name: string | undefined;
  endpoint: string | undefined;
  file: string;
  skipScriptValidation: boolean;
  set: readonly string[];
  noWait: boolean;
}

/** Stores the deployment of a file with everything that it names; `then` may go on with the endpoint and waits for the deployment. */
export async function createDeployment(
  kind: DeploymentKind,
  args: CreateArgs,
  context: CommandContext,
  then?: (draft: AnyDeploymentDraft, apply: ApplyContext) => Promise<unknown>,
): Promise<void> {
  const { loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
  const { checkScriptSyntax } = await import('@mooring/sdk');
  const draft = await loadYaml(args.file, {
    kind,
    sets: args.set,
    overrides: { name: args.name, endpoint_name: args.endpoint },
    checkScript: args.skipScriptValidation ? undefined : checkScriptSyntax,
  });
  const client = await context.client();
  const stored = await context.progress(async (onStep) => {
    const apply = { client, onStep, signal: context.signal };
    const wait = !args.noWait || then !== undefined;
    const deployment = await applied(draft, { ...apply, wait }, context);
    await then?.(draft, { ...apply, wait: !args.noWait });
    return deployment;
  });
  await context.print(yamlShapeOf(kind, stored.body));
}

export function updateDeployment(kind: DeploymentKind, summary: string, assignment: string) {
  return defineCommand({
    summary,
    flags: {
      name: optionalName('deployment'),
      endpoint: optionalEndpoint,
      file: fileFlag,
      ...changeFlags,
      skipScriptValidation,
      noWait: noWaitFlag,
      local: localFlag,
    },
    examples: [
      `mooring ${kind} update ${sample[kind]} --set ${assignment}`,
      `mooring ${kind} update -f luca.yml`,
      `mooring ${kind} update ${sample[kind]} --set environment_variables.LEVEL=debug`,
    ],
    async run(args, context) {
      const { loadValue, loadYaml, yamlShapeOf } = await import('@mooring/azureml/yaml');
      const { checkScriptSyntax } = await import('@mooring/sdk');
      const options = {
        kind,
        sets: args.set,
        adds: args.add,
        removes: args.remove,
        overrides: { name: args.name, endpoint_name: args.endpoint },
        checkScript: args.skipScriptValidation ? undefined : checkScriptSyntax,
      } as const;
      if (args.file === undefined) requireChange(args);
      const fromFile = args.file === undefined ? undefined : await loadYaml(args.file, options);
      const client = await context.client();
      const present = await deploymentsOf(kind, client).get(
        fromFile?.endpointName ?? args.endpoint ?? '',
        fromFile?.name ?? args.name ?? '',
        context,
      );
      const shape = { what: `deployment ${args.endpoint}/${args.name}`, baseDir: '.' };
      const draft = fromFile ?? (await loadValue(yamlShapeOf(kind, present.body), { ...options, ...shape }));
      const stored = await context.progress((onStep) =>
        applied(draft, { client, onStep, signal: context.signal, wait: !args.noWait, ifMatch: present.etag }, context),
      );
      await context.print(yamlShapeOf(kind, stored.body));
    },
  });
}

/** The stored draft. Of an online one that failed, instances wrote why. */
async function applied(
  draft: AnyDeploymentDraft,
  apply: ApplyContext & { ifMatch?: string | undefined },
  context: CommandContext,
): Promise<StoredResource> {
  const { applyBatchDeployment, applyDeployment } = await import('@mooring/sdk');
  if (draft.kind === 'batch-deployment') return applyBatchDeployment(draft, apply);
  return applyDeployment(draft, apply).catch((thrown: unknown) => {
    const failed = (thrown as { code?: string }).code === 'failed_precondition';
    const logs = `mooring online-deployment get-logs -n ${draft.name} -e ${draft.endpointName}`;
    if (failed) context.nextStep = `read its logs: ${logs}`;
    throw thrown;
  });
}

interface Given {
  name: string | undefined;
  endpoint: string | undefined;
  set: readonly string[];
  add: readonly string[];
  remove: readonly string[];
}

function requireChange({ name, endpoint, set, add, remove }: Given): void {
  const problems = [
    ...(name === undefined
      ? [{ path: '--name/-n', problem: 'is missing', expected: 'the deployment, or a file' }]
      : []),
    ...(endpoint === undefined
      ? [{ path: '--endpoint-name/-e', problem: 'is missing', expected: 'the endpoint, or a file' }]
      : []),
    ...(set.length + add.length + remove.length === 0
      ? [{ path: '(flags)', problem: 'change nothing', expected: '--set, --add, --remove or --file' }]
      : []),
  ];
  if (problems.length > 0)
    throw new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', { problems });
}
