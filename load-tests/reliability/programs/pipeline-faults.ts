import { setTimeout as delay } from 'node:timers/promises';
import { seeded } from '@mooring/testing';
import { ackWaitMs, faults, type Fault } from '../batch/faults.ts';
import { BatchGround } from '../batch/ground.ts';
import { deployPipeline, pipelineProblems } from '../batch/pipeline.ts';
import { figure, type Program } from '../programs.ts';

const files = 60;
const secondsPerFile = 0.02;
const longest = 2;
/** Of a job that nothing happens to. */
const usualMs = 6_000;
const jobMs = 120_000;
/** A full disk fails a command, and the job with it; what is left is done when it is resumed. */
const resumesMax = 3;

/** What came of all runs of one fault. */
interface Tally {
  fault: string;
  runs: number;
  verified: number;
  resumed: number;
  slowestMs: number;
  problems: string[];
}

/** A command whose process is killed has failed by its own, so that one that takes all memory does not begin again for ever. */
const chosen = faults.filter(({ name }) => name !== 'kill-process');

/** Strikes jobs of a pipeline of two commands and a parallel script at random moments, the faults in turn; looks at every output. */
export async function strikePipelines(
  { count, seed }: { count: number; seed: number },
  signal: AbortSignal,
): Promise<Tally[]> {
  const random = seeded(seed);
  const worker = { MOORING_WORKER_ACK_WAIT_MS: String(ackWaitMs), MOORING_WORKER_PROCESSES_MAX: '2' };
  const ground = new BatchGround({ volume: true, twin: true, settings: worker }, signal);
  const tallies = new Map<string, Tally>();
  try {
    await ground.start();
    await deployPipeline(ground, secondsPerFile);
    ground.writeInput(files);
    for (let run = 0; run < count; run += 1) {
      const fault = chosen[run % chosen.length] as Fault;
      const none = { fault: fault.name, runs: 0, verified: 0, resumed: 0, slowestMs: 0, problems: [] };
      const tally = tallies.get(fault.name) ?? none;
      tallies.set(fault.name, tally);
      const name = `pipe-${seed}-${run}`;
      const beganMs = performance.now();
      await ground.submit('pipeline', name, files);
      await delay(random() * usualMs, undefined, { signal });
      await fault.strike(ground, random, longest);
      let job = await ground.until(name, ['Completed', 'Failed'], jobMs);
      for (let times = 0; job.status === 'Failed' && fault.name === 'full-disk' && times < resumesMax; times += 1) {
        await ground.resume(name);
        tally.resumed += 1;
        job = await ground.until(name, ['Completed', 'Failed'], jobMs);
      }
      tally.slowestMs = Math.max(tally.slowestMs, performance.now() - beganMs);
      tally.runs += 1;
      const verified = await ground.verify(name);
      tally.verified += verified.ok && verified.missing === 0 && verified.twice === 0 ? 1 : 0;
      const found =
        job.status === 'Completed'
          ? pipelineProblems(ground.folder.artifacts, job, files)
          : [`${job.status}: ${job.error?.message}`];
      tally.problems.push(...[...found, ...verified.problems].map((problem) => `${name}: ${problem}`));
      await ground.whole();
    }
  } catch (error) {
    if (!signal.aborted) figure(`the platform's logs are kept in ${ground.keepLogs()}`);
    throw error;
  } finally {
    await ground.stop();
  }
  return [...tallies.values()];
}

/** In the form of all reliability figures. */
function lineOf({ fault, runs, verified, resumed, slowestMs, problems }: Tally): string {
  return (
    `pipeline ${fault}: ${runs} runs of 3 steps over ${files} files, ${problems.length} wrong, verified ${verified} of ${runs}, ` +
    `resumed ${resumed}, slowest job ${(slowestMs / 1_000).toFixed(1)} s`
  );
}

export const pipelineFaultsProgram: Program = {
  name: 'pipeline-faults',
  about: 'jobs of a pipeline while processes are killed and stopped and the disk is full: every output once, and right',
  run: async ({ count, seed }, signal) => {
    figure(`pipeline faults: ${count} runs, seed ${seed}`);
    const tallies = await strikePipelines({ count, seed }, signal);
    for (const tally of tallies) {
      figure(lineOf(tally));
      for (const problem of tally.problems.slice(0, 5)) figure(`  ${problem}`);
    }
    return tallies.every(({ problems, verified, runs }) => problems.length === 0 && verified === runs);
  },
};
