import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../bench/processes/child.ts';
import { BatchGround } from '../batch/ground.ts';
import { keptConnections, type Caller, type Target } from '../callers.ts';
import { loadCases, type Case } from '../cases.ts';
import { median, quantile } from '../observe/slope.ts';
import { figure, type Program } from '../programs.ts';
import { smallRequests } from '../small-requests.ts';

const files = 20_000;
const filesPerMiniBatch = 5;
const secondsPerFile = 0.02;
const windowMs = 4_000;
/** Until the worker has heard of the online load, and its mini-batches from before have ended. */
const settlingMs = 3_000;
const begunMs = 60_000;
/** What D5 of the batch goals allows. */
const ratioMax = 1.3;
const deployment = 'busy';

/** What online callers ask for beside the job. */
interface OnlineLoad {
  name: string;
  perSecond: number;
}

const loads: readonly OnlineLoad[] = [
  { name: 'light', perSecond: 100 },
  { name: 'heavy', perSecond: 1_000 },
];

export interface BesideRun {
  rounds: number;
  only?: readonly string[];
}

export interface BesideFigures {
  load: string;
  perSecond: number;
  aloneP99Ms: number;
  besideP99Ms: number;
  ratio: number;
  /** Files of the job for each second, beside the load. */
  filesPerS: number;
  failed: number;
}

/** Windows without a job and with one that takes all cores alternate, under the same load. */
export async function measureBesideBatch({ rounds, only }: BesideRun, signal: AbortSignal): Promise<BesideFigures[]> {
  const ground = new BatchGround({ volume: false, twin: false, topology: 'default', settings: {} }, signal);
  const caller = keptConnections(false);
  const figures: BesideFigures[] = [];
  try {
    await ground.start();
    const { platform } = ground;
    await platform.deploy('model-a', ['blue'], 'instance_count: 1');
    const job = { miniBatchSize: filesPerMiniBatch, instanceCount: availableParallelism() };
    await ground.deploy(deployment, job, secondsPerFile, true);
    ground.writeInput(files);
    const { http, grpc } = platform;
    const target = { http, grpc, endpoint: 'model-a', key: await platform.key('model-a', 'primaryKey') };
    const asking = { caller, target, cases: loadCases(), signal };
    await ask(asking, 200, delay(windowMs, undefined, { signal }));
    for (const load of loads.filter(({ name }) => only?.includes(name) ?? true)) {
      const rows: { alone: number; beside: number; filesPerS: number }[] = [];
      let failed = 0;
      for (let round = 0; round < rounds; round += 1) {
        const alone = await ask(asking, load.perSecond, delay(windowMs, undefined, { signal }));
        const beside = await askBesideJob(ground, asking, load, `${load.name}-${round}`);
        failed += alone.failed + beside.failed;
        rows.push({ alone: quantile(alone.latencies, 0.99), beside: beside.p99Ms, filesPerS: beside.filesPerS });
      }
      const of = (field: keyof (typeof rows)[number]): number => median(rows.map((row) => row[field]));
      figures.push({
        load: load.name,
        perSecond: load.perSecond,
        aloneP99Ms: of('alone'),
        besideP99Ms: of('beside'),
        ratio: median(rows.map(({ alone, beside }) => beside / alone)),
        filesPerS: of('filesPerS'),
        failed,
      });
    }
  } finally {
    caller.close();
    await ground.stop();
  }
  return figures;
}

interface Asking {
  caller: Caller;
  target: Target;
  cases: readonly Case[];
  signal: AbortSignal;
}

function ask({ caller, target, cases }: Asking, perSecond: number, over: Promise<unknown>) {
  return smallRequests(caller, target, cases, perSecond, over);
}

/** The load begins with the job, and is measured once both are at their pace. */
async function askBesideJob(
  ground: BatchGround,
  asking: Asking,
  { perSecond }: OnlineLoad,
  name: string,
): Promise<{ p99Ms: number; filesPerS: number; failed: number }> {
  const { signal } = asking;
  const before = ground.runs(deployment);
  await ground.submit(deployment, name, files);
  const begun = async (): Promise<boolean> => ground.runs(deployment) > before;
  const why = (): string => `no mini-batch of job ${name} began within ${begunMs / 1_000} s`;
  const settled = until(begun, begunMs, signal, why).then(() => delay(settlingMs, undefined, { signal }));
  const first = await ask(asking, perSecond, settled);
  const from = ground.runs(deployment);
  const measured = await ask(asking, perSecond, delay(windowMs, undefined, { signal }));
  const filesPerS = ((ground.runs(deployment) - from) * filesPerMiniBatch * 1_000) / windowMs;
  await ground.cancel(name);
  await ground.until(name, ['Canceled'], begunMs);
  return { p99Ms: quantile(measured.latencies, 0.99), filesPerS, failed: first.failed + measured.failed };
}

export const besideBatchProgram: Program = {
  name: 'beside-batch',
  about: 'a batch job takes all cores beside online requests: what happens to their p99, and what the job gets done',
  run: async ({ count }, signal) => {
    const rounds = Math.min(count, 10);
    const figures = await measureBesideBatch({ rounds }, signal);
    for (const { load, perSecond, aloneP99Ms, besideP99Ms, ratio, filesPerS, failed } of figures) {
      figure(
        `beside-batch ${load}: ${rounds} jobs beside ${perSecond} requests/s, p99 alone ${aloneP99Ms.toFixed(2)} ms, beside ` +
          `${besideP99Ms.toFixed(2)} ms, ratio ${ratio.toFixed(2)} (at most ${ratioMax}), ${filesPerS.toFixed(0)} files/s of ` +
          `${(availableParallelism() / secondsPerFile).toFixed(0)}, ${failed} failed`,
      );
    }
    return figures.every(({ ratio, failed }) => ratio <= ratioMax && failed === 0);
  },
};
