import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '@mooring/testing';
import { until } from '../../bench/processes/child.ts';
import { compareOutput, type Differences } from '../batch/expected.ts';
import { ackWaitMs, faults, fullDisk, type Fault } from '../batch/faults.ts';
import { BatchGround } from '../batch/ground.ts';
import { figure, type Program } from '../programs.ts';

const filesUsual = 240;
const filesPerMiniBatch = 4;
const longestUsual = 4;
const secondsPerFile = 0.02;
const deployment = 'script';
/** Two processes of each of two workers. */
const settings = { miniBatchSize: filesPerMiniBatch, instanceCount: 2 };
const jobMs = 120_000;
/** Longer than a job takes: what is waited for happens before, or is over. */
const momentMs = 30_000;
const problemsShown = 5;

/** What came of all runs of one fault. */
export interface FaultTally extends Differences {
  fault: string;
  runs: number;
  items: number;
  verified: number;
  /** Files that the script got more than once. */
  again: number;
  longestGapMs: number;
  slowestJobMs: number;
  problems: string[];
}

export interface FaultRun {
  /** Jobs of all faults together. */
  count: number;
  seed: number;
  /** Of a job's input; 240 unless given. */
  files?: number;
  /** Of what lasts, in ack waits; 4 unless given. */
  longest?: number;
  /** All of them unless given. */
  chosen?: readonly Fault[];
}

/** What is the same for all jobs of a campaign. */
interface Campaign {
  ground: BatchGround;
  files: number;
  longest: number;
  random: () => number;
  signal: AbortSignal;
}

/** Strikes jobs at random moments, the faults in turn, and looks at every output line by line. */
export async function strikeJobs(asked: FaultRun, signal: AbortSignal): Promise<FaultTally[]> {
  const { count, seed, files = filesUsual, longest = longestUsual, chosen = faults } = asked;
  const random = seeded(seed);
  const worker = { MOORING_WORKER_ACK_WAIT_MS: String(ackWaitMs), MOORING_WORKER_PROCESSES_MAX: '2' };
  const ground = new BatchGround({ volume: chosen.includes(fullDisk), twin: true, settings: worker }, signal);
  const tallies = chosen.map(({ name }) => emptyTally(name));
  const campaign: Campaign = { ground, files, longest, random, signal };
  try {
    await ground.start();
    await ground.deploy(deployment, settings, secondsPerFile);
    ground.writeInput(files);
    for (let run = 0; run < count; run += 1) {
      const turn = run % chosen.length;
      await strikeOne(campaign, chosen[turn] as Fault, tallies[turn] as FaultTally, `run-${seed}-${run}`);
    }
  } catch (error) {
    if (!signal.aborted) figure(`the platform's logs are kept in ${ground.keepLogs()}`);
    throw error;
  } finally {
    await ground.stop();
  }
  return tallies.filter(({ runs }) => runs > 0);
}

function emptyTally(fault: string): FaultTally {
  const counts = { runs: 0, items: 0, missing: 0, twice: 0, wrong: 0, verified: 0, again: 0 };
  return { fault, ...counts, longestGapMs: 0, slowestJobMs: 0, problems: [] };
}

async function strikeOne(campaign: Campaign, fault: Fault, tally: FaultTally, name: string): Promise<void> {
  const { ground, files, longest, random } = campaign;
  const runsBefore = ground.runs(deployment);
  const submittedMs = performance.now();
  await ground.submit(deployment, name, files);
  const gaps = watchGaps(ground);
  try {
    await moment(campaign, runsBefore);
    await fault.strike(ground, random, longest);
    const job = await ground.until(name, ['Completed', 'Failed'], jobMs);
    tally.slowestJobMs = Math.max(tally.slowestJobMs, performance.now() - submittedMs);
    tally.runs += 1;
    tally.items += files;
    if (job.error !== undefined) note(tally, `${name} ${job.status}: ${job.error.message}`);
    const found = compareOutput(ground.folder.artifacts, job, files);
    const verified = await ground.verify(name);
    tally.missing += Math.max(found.missing, verified.missing);
    tally.twice += Math.max(found.twice, verified.twice);
    tally.wrong += found.wrong;
    tally.verified += verified.ok ? 1 : 0;
    for (const problem of verified.problems) note(tally, `${name}: ${problem}`);
    tally.again += Math.max(0, ground.filesRun(deployment, runsBefore) - files);
  } finally {
    tally.longestGapMs = Math.max(tally.longestGapMs, gaps.stop());
  }
  await ground.whole();
}

function note(tally: FaultTally, problem: string): void {
  if (tally.problems.length < problemsShown) tally.problems.push(problem);
}

/** One run in six strikes while the job is being prepared, one in six when its last mini-batch has begun, the others between. */
async function moment({ ground, files, random, signal }: Campaign, runsBefore: number): Promise<void> {
  const share = random();
  const miniBatches = files / filesPerMiniBatch;
  if (share < 1 / 6) return delay(share * 6 * 500, undefined, { signal });
  const begun = Math.min(miniBatches, Math.ceil(((share - 1 / 6) / (4 / 6)) * miniBatches));
  const isThere = async (): Promise<boolean> => ground.runs(deployment) - runsBefore >= begun;
  await until(isThere, momentMs, signal, () => `the job has not begun mini-batch ${begun} after ${momentMs / 1_000} s`);
  if (share > 5 / 6) await delay((share - 5 / 6) * 6 * 500, undefined, { signal });
}

/** The longest time in which no mini-batch began, between the first and the last that did. */
function watchGaps(ground: BatchGround): { stop(): number } {
  let [seen, lastMs, longestMs] = [ground.runs(deployment), Number.NaN, 0];
  const timer = setInterval(() => {
    const runs = ground.runs(deployment);
    if (runs === seen) return;
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, Number.isNaN(lastMs) ? 0 : nowMs - lastMs);
    [seen, lastMs] = [runs, nowMs];
  }, 20);
  return {
    stop: () => {
      clearInterval(timer);
      return longestMs;
    },
  };
}

/** In the form of all reliability figures. */
export function lineOf(tally: FaultTally): string {
  const seconds = (ms: number): string => (ms / 1_000).toFixed(1);
  return (
    `batch ${tally.fault}: ${tally.runs} runs, ${tally.items} items, ${tally.missing} missing, ${tally.twice} twice, ` +
    `${tally.wrong} wrong, verified ${tally.verified} of ${tally.runs}, ${tally.again} run again, ` +
    `longest gap ${seconds(tally.longestGapMs)} s, slowest job ${seconds(tally.slowestJobMs)} s`
  );
}

export function isSound({ missing, twice, wrong, verified, runs, problems }: FaultTally): boolean {
  return missing === 0 && twice === 0 && wrong === 0 && verified === runs && problems.length === 0;
}

export const batchFaultsProgram: Program = {
  name: 'batch-faults',
  about: 'batch jobs while processes are killed and stopped and the disk is full: nothing missing, nothing twice',
  run: async ({ count, seed }, signal) => {
    figure(`batch faults: ${count} runs, seed ${seed}`);
    const tallies = await strikeJobs({ count, seed }, signal);
    for (const tally of tallies) {
      figure(lineOf(tally));
      for (const problem of tally.problems) figure(`  ${problem}`);
    }
    return tallies.every(isSound);
  },
};
