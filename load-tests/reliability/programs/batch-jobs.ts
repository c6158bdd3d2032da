import type { JobRecord } from '@mooring/domain';
import { until } from '../../bench/processes/child.ts';
import { compareOutput, isNothing, partsOf } from '../batch/expected.ts';
import { BatchGround } from '../batch/ground.ts';
import { kill } from '../platform.ts';
import { figure, type Program } from '../programs.ts';

const files = 120;
const filesPerMiniBatch = 4;
const secondsPerFile = 0.02;
const jobMs = 240_000;
const momentMs = 60_000;
const settings = { miniBatchSize: filesPerMiniBatch, retrySettings: { maxRetries: 0, timeoutS: 30 } };
/** More than files of which the script gives no line. */
const errorThreshold = 12;

/** What was seen of one thing that jobs should do; `wrong`: in words, what was not as it should be. */
export interface Seen {
  line: string;
  wrong: string[];
}

/** Jobs beside each other, cancelled, and resumed; over one worker with two processes. */
export async function tryJobs(count: number, signal: AbortSignal): Promise<Seen[]> {
  const worker = { MOORING_WORKER_PROCESSES_MAX: '2' };
  const ground = new BatchGround({ volume: false, twin: false, settings: worker }, signal);
  try {
    await ground.start();
    await ground.deploy('shared', settings, secondsPerFile);
    await ground.deploy('strict', { ...settings, errorThreshold }, secondsPerFile);
    ground.writeInput(files);
    const seen: Seen[] = [];
    for (const [what, attempt] of Object.entries(attempts(ground, count, signal))) {
      seen.push(await attempt().catch((error: Error) => ({ line: `${what}: no answer`, wrong: [error.message] })));
    }
    if (seen.some(({ wrong }) => wrong.length > 0)) figure(`the platform's logs are kept in ${ground.keepLogs()}`);
    return seen;
  } finally {
    await ground.stop();
  }
}

function attempts(ground: BatchGround, count: number, signal: AbortSignal): Record<string, () => Promise<Seen>> {
  return {
    'at once': () => atOnce(ground, count),
    'cancel in Queued': () => cancelQueued(ground),
    'cancel in Preparing': () => cancelPreparing(ground),
    'cancel in Running': () => cancelRunning(ground, signal),
    'cancel in Finalizing': () => cancelFinalizing(ground, signal),
    'resume after failure': () => resumeFailed(ground, signal),
  };
}

async function atOnce(ground: BatchGround, count: number): Promise<Seen> {
  const names = Array.from({ length: count }, (_, index) => `at-once-${String(index).padStart(3, '0')}`);
  for (const name of names) await ground.submit('shared', name, files);
  const queued = (await Promise.all(names.map((name) => ground.job(name)))).filter(
    ({ status, progress }) => status === 'Queued' && progress.queuePosition !== undefined,
  ).length;
  const wrong: string[] = [];
  const jobs: JobRecord[] = [];
  for (const name of names) jobs.push(await completed(ground, name, wrong));
  const first = Math.min(...jobs.map(({ createdAt }) => Date.parse(createdAt)));
  const waits = jobs.map(({ createdAt, startedAt }) => secondsBetween(createdAt, startedAt));
  const ends = jobs.map(({ endedAt }) => (Date.parse(endedAt ?? '') - first) / 1_000);
  const starts = jobs.map(({ startedAt }) => Date.parse(startedAt ?? ''));
  if (starts.some((at, index) => at < (starts[index - 1] ?? 0))) wrong.push('a job began before one that came earlier');
  if (count > 4 && queued === 0) wrong.push('no job said where in the queue it was');
  const spread = `ends ${Math.min(...ends).toFixed(1)} to ${Math.max(...ends).toFixed(1)} s after the first came`;
  const line = `${count} jobs at once over one worker: ${count - wrong.length} completed and verified, ${queued} queued at first, longest wait ${Math.max(...waits).toFixed(1)} s, ${spread}`;
  return { line, wrong };
}

function secondsBetween(from: string, to: string | undefined): number {
  return (Date.parse(to ?? '') - Date.parse(from)) / 1_000;
}

/** With as many before it as are worked on at once, and one more. */
async function cancelQueued(ground: BatchGround): Promise<Seen> {
  const before = Array.from({ length: 5 }, (_, index) => `before-${index}`);
  for (const name of before) await ground.submit('shared', name, files);
  await ground.submit('shared', 'queued', files);
  const job = await ground.cancelled('queued');
  const wrong = job.startedAt === undefined && job.status === 'Canceled' ? [] : [`it is ${job.status}`];
  for (const name of before) await completed(ground, name, wrong);
  return resumed(ground, 'Queued', job, wrong);
}

/** The controller does not answer meanwhile, as if it built an environment. */
async function cancelPreparing(ground: BatchGround): Promise<Seen> {
  const pid = ground.pidOf('controller');
  kill(pid, 'SIGSTOP');
  let job: JobRecord;
  const wrong: string[] = [];
  try {
    await ground.submit('shared', 'preparing', files);
    await ground.until('preparing', ['Preparing'], momentMs);
    job = await ground.cancelled('preparing');
  } finally {
    kill(pid, 'SIGCONT');
  }
  return resumed(ground, 'Preparing', job, wrong);
}

async function cancelRunning(ground: BatchGround, signal: AbortSignal): Promise<Seen> {
  await ground.submit('shared', 'running', files);
  await begun(ground, 'shared', 10, signal);
  const job = await ground.cancelled('running');
  const { succeeded, failed, skipped } = job.progress;
  const wrong = succeeded > 0 && skipped > 0 ? [] : [`${succeeded} succeeded and ${skipped} were skipped`];
  if (succeeded + failed + skipped !== files) wrong.push('its items are not all counted');
  if (!(await ground.verify('running')).ok) wrong.push('what it did is not verified');
  return resumed(ground, 'Running', job, wrong);
}

/** What is being written is finished: nothing is left to cancel. */
async function cancelFinalizing(ground: BatchGround, signal: AbortSignal): Promise<Seen> {
  await ground.submit('shared', 'finalizing', files);
  await begun(ground, 'shared', files / filesPerMiniBatch, signal);
  const { status } = await ground.until('finalizing', ['Finalizing', 'Completed'], momentMs);
  const wrong: string[] = [];
  await ground.cancel('finalizing');
  await completed(ground, 'finalizing', wrong);
  await ground.cancel('finalizing');
  if ((await ground.job('finalizing')).status !== 'Completed') wrong.push('it did not stay completed');
  return { line: `cancel in ${status}, and once Completed: it completes all the same, verified`, wrong };
}

async function resumeFailed(ground: BatchGround, signal: AbortSignal): Promise<Seen> {
  await ground.submit('strict', 'failed', files);
  await begun(ground, 'strict', 10, signal);
  ground.breakScript('strict', true);
  const job = await ground.until('failed', ['Failed', 'Completed'], jobMs);
  ground.breakScript('strict', false);
  const wrong = job.error?.code === 'ErrorThresholdExceeded' ? [] : [`it is ${job.status} ${job.error?.code ?? ''}`];
  if (!(await ground.verify('failed')).ok) wrong.push('what it did is not verified');
  return resumed(ground, 'Failed', job, wrong, 'strict');
}

/** Resumes what ended in `job`: it runs exactly what is left, and then all is there. */
async function resumed(
  ground: BatchGround,
  state: string,
  job: JobRecord,
  wrong: string[],
  deployment = 'shared',
): Promise<Seen> {
  const kept = partsOf(ground.folder.artifacts, job).filter(({ succeeded }) => succeeded > 0);
  const left = files - kept.reduce((sum, { items }) => sum + items, 0);
  const runsBefore = ground.runs(deployment);
  await ground.resume(job.name);
  await completed(ground, job.name, wrong);
  const again = ground.filesRun(deployment, runsBefore);
  if (again !== left) wrong.push(`resumed, it ran ${again} files of ${left} that were left`);
  const what = state === 'Failed' ? 'resume after failure' : `cancel in ${state}, then resume`;
  return { line: `${what}: ${files - left} files kept, ${again} run of ${left} left, completed and verified`, wrong };
}

/** Waits until the script has begun so many mini-batches more than now. */
async function begun(ground: BatchGround, deployment: string, count: number, signal: AbortSignal): Promise<void> {
  const before = ground.runs(deployment);
  const isThere = async (): Promise<boolean> => ground.runs(deployment) - before >= count;
  await until(isThere, momentMs, signal, () => `${count} mini-batches have not begun after ${momentMs / 1_000} s`);
}

async function completed(ground: BatchGround, name: string, wrong: string[]): Promise<JobRecord> {
  const job = await ground.until(name, ['Completed', 'Failed', 'Canceled'], jobMs);
  const found = compareOutput(ground.folder.artifacts, job, files);
  const { ok, problems } = await ground.verify(name);
  if (job.status !== 'Completed' || !isNothing(found) || !ok) {
    wrong.push(`${name} ${job.status}: ${JSON.stringify(found)} ${job.error?.message ?? problems.join('; ')}`);
  }
  return job;
}

export const batchJobsProgram: Program = {
  name: 'batch-jobs',
  about: 'batch jobs at once over one worker, cancelled in each state, resumed: fair, complete, only what is left',
  run: async ({ count }, signal) => {
    const seen = await tryJobs(Math.min(count, 10), signal);
    for (const { line, wrong } of seen) {
      figure(`batch jobs: ${line}`);
      for (const one of wrong) figure(`  ${one}`);
    }
    return seen.every(({ wrong }) => wrong.length === 0);
  },
};
