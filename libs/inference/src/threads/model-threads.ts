import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { PlatformError } from '@mooring/errors';
import { ModelLoadError } from '@mooring/scoring-stream';
import type { Tensor } from '@mooring/tensor';
import type { Logger } from 'pino';
import { feedOf, tensorOf, type NativeTensor } from '../native-tensors.ts';
import { runError } from '../run-error.ts';
import type { TimedRun } from '../batcher.ts';
import type { ThreadAnswer, ThreadRequest, ThreadSetup, ThreadStop } from './thread-messages.ts';
import { SharedSlots } from './shared-slots.ts';
import { ownTensor, transferable } from './transferable.ts';

export interface ModelThreads {
  /**
   * Runs the model on the thread that has least to do. Each has one run and at most one more that it begins at once
   * after; beyond that a run waits here. Rejects as `OnnxSession.run` throws, and with MODEL_THREAD_LOST.
   */
  run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<TimedRun>;
  /** Threads that can run the model now. */
  alive(): number;
  workers(): readonly Worker[];
  /** Ends the threads once they have finished their runs; those that still run when `signal` aborts are left behind. */
  stop(signal: AbortSignal): Promise<void>;
}

export interface ModelThreadsOptions extends ThreadSetup {
  count: number;
  log: Logger;
}

const failedStopMs = 1_000;
/** A thread that dies at once again is started again after growing pauses. */
const restartMinMs = 50;
const restartMaxMs = 10_000;
/** One that lived this long was sound. */
const soundMs = 30_000;

/** Starts `count` threads with a session each; resolves when all have loaded the model. Rejects with ModelLoadError. */
export async function startModelThreads(options: ModelThreadsOptions): Promise<ModelThreads> {
  const threads = new Threads(options);
  try {
    await Promise.all(Array.from({ length: options.count }, () => threads.start()));
  } catch (thrown) {
    await threads.stop(AbortSignal.timeout(failedStopMs));
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ModelLoadError('InternalServerError', `the model cannot be run in a thread: ${why}`, false, thrown);
  }
  return threads;
}

interface Thread {
  worker: Worker;
  startedMs: number;
  loaded: boolean;
  /** Runs that it was sent, in order: the first is being run. */
  open: ((answer: ThreadAnswer | PlatformError) => void)[];
  slots: SharedSlots;
}

/** A second run lies ready in the thread, so that it does not stand still while the event loop hears of the first. */
export const runsPerThread = 2;

class Threads implements ModelThreads {
  readonly #options: ModelThreadsOptions;
  readonly #all = new Set<Thread>();
  readonly #waiting: ((thread: Thread) => void)[] = [];
  #deaths = 0;
  readonly #restarts = new Set<NodeJS.Timeout>();
  #stopping = false;

  constructor(options: ModelThreadsOptions) {
    this.#options = options;
  }

  alive(): number {
    return [...this.#all].filter(({ loaded }) => loaded).length;
  }

  workers(): readonly Worker[] {
    return [...this.#all].map(({ worker }) => worker);
  }

  async run(inputs: readonly Tensor[], outputs: readonly string[]): Promise<TimedRun> {
    const thread = this.#leastBusy() ?? (await this.#nextFree());
    const tensors = inputs.map(feedOf);
    const shared = thread.slots.pack(tensors);
    const sent = shared?.tensors ?? tensors.map(ownTensor);
    const feeds = Object.fromEntries(inputs.map(({ name }, index) => [name, sent[index] as NativeTensor]));
    const answer = await this.#ask(thread, { feeds, fetches: outputs });
    shared?.release();
    if (answer instanceof PlatformError) throw answer;
    if ('error' in answer) throw runError(new Error(answer.error));
    const results = answer.outputs.map((output, index) => tensorOf(outputs[index] as string, output));
    return { outputs: results, runUs: answer.runUs };
  }

  /** Resolves once the thread has loaded the model; rejects when it ends before. */
  start(): Promise<void> {
    const { file, threads } = this.#options;
    const workerData: ThreadSetup = { file, threads };
    const worker = new Worker(new URL('./model-thread.ts', import.meta.url), { workerData });
    const thread: Thread = { worker, startedMs: performance.now(), loaded: false, open: [], slots: new SharedSlots() };
    this.#all.add(thread);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: ThreadAnswer | 'loaded') => {
        if (message === 'loaded') {
          thread.loaded = true;
          resolve();
        } else thread.open.shift()?.(message);
        this.#free(thread);
      });
      worker.on('error', (error) => {
        this.#options.log.error({ err: error }, 'a model thread failed');
        reject(error);
      });
      worker.on('exit', (code) => {
        reject(new Error(`it ended with code ${code}`));
        this.#onExit(thread);
      });
    });
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    // Asked, not terminated: ending a thread inside a run aborts the whole process.
    const ends = [...this.#all].map(({ worker }) => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread is no window
      worker.postMessage('stop' satisfies ThreadStop);
      return once(worker, 'exit', { signal });
    });
    await Promise.allSettled(ends);
  }

  #ask(thread: Thread, request: ThreadRequest): Promise<ThreadAnswer | PlatformError> {
    if (!this.#all.has(thread)) return Promise.resolve(notStarted());
    return new Promise((resolve) => {
      thread.open.push(resolve);
      thread.worker.postMessage(request, transferable(Object.values(request.feeds)));
    });
  }

  #leastBusy(): Thread | undefined {
    let best: Thread | undefined;
    for (const thread of this.#all) {
      if (!thread.loaded || thread.open.length >= runsPerThread) continue;
      if (best === undefined || thread.open.length < best.open.length) best = thread;
    }
    return best;
  }

  #nextFree(): Promise<Thread> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #free(thread: Thread): void {
    this.#waiting.shift()?.(thread);
  }

  #onExit(thread: Thread): void {
    this.#all.delete(thread);
    const [running, ...behind] = thread.open.splice(0);
    running?.(lost());
    for (const settle of behind) settle(notStarted());
    // One of the first that cannot load the model fails the start; nobody waits for another.
    if (this.#stopping || (!thread.loaded && this.#deaths === 0)) return;
    this.#deaths = performance.now() - thread.startedMs > soundMs ? 1 : this.#deaths + 1;
    const delayMs = Math.min(restartMaxMs, restartMinMs * 2 ** (this.#deaths - 1));
    this.#options.log.error(`a model thread ended; another takes its place in ${delayMs} ms`);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      // Its end is seen above, and counted.
      this.start().catch(() => {});
    }, delayMs);
    this.#restarts.add(timer);
  }
}

function lost(): PlatformError {
  const message = 'the thread that ran the model ended; nobody knows how far it came';
  return new PlatformError('model_failed', 'MODEL_THREAD_LOST', message, { modelStatus: 500 });
}

function notStarted(): PlatformError {
  const message = 'the thread that should have run the model ended before';
  return new PlatformError('unavailable', 'MODEL_THREAD_GONE', message, { retryAfterMs: 100 });
}
