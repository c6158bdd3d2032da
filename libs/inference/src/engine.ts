import { statSync } from 'node:fs';
import type { Tensor } from '@mooring/tensor';
import type { Logger } from 'pino';
import type { TimedRun } from './batcher.ts';
import type { OnnxSession } from './session.ts';
import type { ModelSignature } from './signature.ts';
import { runsPerThread, startModelThreads } from './threads/model-threads.ts';
import { zeros } from './warm-up.ts';

/** What runs a model: this thread, or others. */
export interface Engine {
  readonly signature: ModelSignature;
  /** Runs that are made at the same time. */
  readonly parallel: number;
  /** Runs that it takes at the same time: more than it makes where one that lies ready saves a pause. */
  readonly taken: number;
  /** Throws or rejects with `invalid_argument` when the model refuses its input's form, else with `model_failed`. */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[] | Promise<TimedRun>;
  ready(): boolean;
  /** `signal` aborts when it must not wait any longer for runs to end. */
  release(signal: AbortSignal): Promise<void>;
}

/** One that runs in this very thread. */
export interface ThisThread extends Engine {
  run(inputs: readonly Tensor[], outputs: readonly string[]): Tensor[];
}

/** Blocks the event loop while the model runs. */
export function inThisThread(session: OnnxSession): ThisThread {
  return {
    signature: session.signature,
    parallel: 1,
    taken: 1,
    run: session.run,
    ready: () => true,
    release: async () => session.release(),
  };
}

/** Copies of a model's weights that an instance may hold so that runs do not share anything. */
const copiesBytesMax = 512 * 2 ** 20;

/**
 * One thread with a session for each core of the budget, each run on one core: ONNX Runtime's own threads for one run wait
 * for each other by spinning, and more of them made runs slower here. A model too large to be held several times gets one
 * session that may use all the cores.
 */
export async function inThreads(
  session: OnnxSession,
  { file, threads, log }: { file: string; threads: number; log: Logger },
): Promise<Engine> {
  const { signature } = session;
  const copies = statSync(file).size * threads > copiesBytesMax ? 1 : threads;
  session.release();
  const pool = await startModelThreads({
    file,
    count: copies,
    threads: Math.max(1, Math.floor(threads / copies)),
    log,
  });
  const { inputs, outputs } = zeros({ signature });
  // What a first run sets up, before a caller waits for it; a refusal was told at the first warm-up.
  await Promise.allSettled(Array.from({ length: copies }, () => pool.run(inputs, outputs)));
  log.info(`${copies} thread${copies === 1 ? '' : 's'} run the model`);
  return {
    signature,
    parallel: copies,
    taken: copies * runsPerThread,
    run: pool.run.bind(pool),
    ready: () => pool.alive() > 0,
    release: (signal) => pool.stop(signal),
  };
}
