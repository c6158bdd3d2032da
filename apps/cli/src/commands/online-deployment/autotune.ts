import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { DeploymentDraft } from '@mooring/azureml/yaml';
import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import type { CommandContext } from '../../context.ts';
import type { LoadResult } from '../../shared/closed-load.ts';
import type { Measured, Tuning } from '../../shared/autotune.ts';
import { fileFlag, optionalEndpoint, optionalName } from '../../shared/flags.ts';
import { readRequestFile } from '../../shared/request-body.ts';

const warmUpMs = 500;
const nameMax = 32;

export const command = defineCommand({
  summary: 'Measure threads, batch rows and waits of a deployment, and write the best into its file',
  about:
    'A copy of the deployment that gets no live request is created beside it, sent your request under load with each\n' +
    'setting, and deleted. Only the properties in the file change; `update -f` makes them so.',
  flags: {
    name: optionalName('deployment'),
    endpoint: optionalEndpoint,
    file: { ...fileFlag, required: true },
    requestFile: {
      kind: 'text',
      names: ['--request-file', '-r'],
      value: 'FILE',
      about: 'JSON body of a usual request',
      required: true,
    },
    inFlight: {
      kind: 'whole',
      names: ['--in-flight'],
      value: 'N',
      about: 'requests that are open at the same time (8)',
      smallest: 1,
      largest: 1_024,
    },
    seconds: {
      kind: 'whole',
      names: ['--seconds'],
      value: 'N',
      about: 'how long each setting is measured (3)',
      smallest: 1,
      largest: 600,
    },
  },
  examples: [
    'mooring online-deployment autotune -f luca.yml -r photo.json',
    'mooring online-deployment autotune -n luca -e cars -f luca.yml -r photo.json --in-flight 32',
  ],
  async run(args, context) {
    const { loadYaml } = await import('@mooring/azureml/yaml');
    const { propertiesOf, sweep, withProperties } = await import('../../shared/autotune.ts');
    const overrides = { name: args.name, endpoint_name: args.endpoint };
    const draft = await loadYaml(args.file, { kind: 'online-deployment', overrides });
    if (draft.code !== undefined) {
      const message = `deployment '${draft.name}' runs a script: these settings are those of ONNX models without code`;
      throw new PlatformError('failed_precondition', 'NOT_TUNABLE', message);
    }
    const body = await readRequestFile(args.requestFile);
    const load = { inFlight: args.inFlight ?? 8, ms: (args.seconds ?? 3) * 1_000 };
    const copy = { ...draft, name: `${draft.name.slice(0, nameMax - '-tune'.length)}-tune` };
    const bench = await openBench(copy, body, load, context);
    try {
      const { best, table } = await context.progress((onStep) =>
        sweep(coresOf(draft), (tuning) => bench(tuning, (step) => onStep({ step }))),
      );
      await writeFile(args.file, withProperties(await readFile(args.file, 'utf8'), propertiesOf(best)));
      await context.print(
        table.map((row) => shown(row, row === best)),
        { output: 'table' },
      );
      context.note(`written to ${args.file}; make it so with: mooring online-deployment update -f ${args.file}`);
    } finally {
      await remove(copy, context);
    }
  },
});

type Bench = (tuning: Tuning, onStep: (step: string) => void) => Promise<Measured>;

async function openBench(
  copy: DeploymentDraft,
  body: Buffer<ArrayBuffer>,
  load: { inFlight: number; ms: number },
  context: CommandContext,
): Promise<Bench> {
  const [{ applyDeployment, score }, { closedLoad }, { propertiesOf }] = await Promise.all([
    import('@mooring/sdk'),
    import('../../shared/closed-load.ts'),
    import('../../shared/autotune.ts'),
  ]);
  const client = await context.client();
  const { signal } = context;
  const endpoint = await client.onlineEndpoints.get(copy.endpointName, context);
  const { primaryKey } = await client.onlineEndpoints.listKeys(copy.endpointName, context);
  const uri = String(endpoint.body.properties['scoringUri']);
  const call = { uri, key: primaryKey, body, contentType: 'application/json', deployment: copy.name, signal };
  return async (tuning, onStep) => {
    onStep(`${tuning.threads} threads, ${tuning.batchMaxRows} rows, ${tuning.batchMaxDelayUs} us: deploying`);
    const own = copy.body.properties['properties'] as Record<string, string> | undefined;
    const properties = { ...copy.body.properties, properties: { ...own, ...propertiesOf(tuning) } };
    await applyDeployment({ ...copy, body: { ...copy.body, properties } }, { client, signal });
    // Wrong requests fail here, with the server's own words.
    await score(call);
    await closedLoad(() => score(call), { ...load, ms: warmUpMs, signal });
    onStep(`${tuning.threads} threads, ${tuning.batchMaxRows} rows, ${tuning.batchMaxDelayUs} us: measuring`);
    const result = await closedLoad(() => score(call), { ...load, signal });
    const placement = await placementOf(copy, context);
    if (result.refused > 0) noteRefused(result, context);
    const { requestsPerS, p50Ms, p99Ms, failed } = result;
    return { ...tuning, placement, requestsPerS, p50Ms, p99Ms, failed };
  };
}

function noteRefused({ refused }: LoadResult, context: CommandContext): void {
  context.note(
    `${refused} requests were refused: max_concurrent_requests_per_instance is lower than half of --in-flight`,
  );
}

async function placementOf({ endpointName, name }: DeploymentDraft, context: CommandContext): Promise<string> {
  const client = await context.client();
  const { body } = await client.onlineDeployments.get(endpointName, name, context);
  const mooring = body.properties['mooring'] as { placement?: { chosen?: string } } | undefined;
  return mooring?.placement?.chosen ?? '';
}

/** Also after an interrupt, which ends `context.signal`: the copy must not stay. */
async function remove({ endpointName, name }: DeploymentDraft, context: CommandContext): Promise<void> {
  const client = await context.client();
  await client.onlineDeployments.delete(endpointName, name, { wait: false }).catch(() => {
    context.note(`deployment ${name} is still there; delete it with:`);
    context.note(`mooring online-deployment delete -n ${name} -e ${endpointName} --yes`);
  });
}

/** Those of an instance, where its file says so; else those of this machine, on which instances run. */
function coresOf(draft: DeploymentDraft): number {
  const own = draft.body.properties['properties'] as Record<string, string> | undefined;
  const limit = Math.floor(Number(own?.['mooring.cpu'] ?? Number.NaN));
  return Math.max(1, Number.isNaN(limit) ? availableParallelism() : Math.min(limit, availableParallelism()));
}

function shown(row: Measured, best: boolean): Record<string, unknown> {
  return {
    threads: row.threads,
    batch_max_rows: row.batchMaxRows,
    batch_max_delay_us: row.batchMaxDelayUs,
    placement: row.placement,
    requests_per_s: Math.round(row.requestsPerS),
    p50_ms: Math.round(row.p50Ms * 100) / 100,
    p99_ms: Math.round(row.p99Ms * 100) / 100,
    failed: row.failed,
    best: best ? 'yes' : '',
  };
}
