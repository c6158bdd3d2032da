/**
 * Tells the main thread some thousand times a second that time has passed. Timers of the event loop know whole milliseconds
 * only, and a loop that turns without sleeping is what schedulers punish first when cores are short.
 */
import { parentPort, Worker, workerData } from 'node:worker_threads';

const periodMsDefault = 0.1;
const stopped = 0;
const isTold = 1;

export interface Ticker {
  stop(): Promise<void>;
}

interface Ticking {
  shared: Int32Array;
  periodMs: number;
}

export function startTicker(onTick: () => void, periodMs = periodMsDefault): Ticker {
  const shared = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL(import.meta.url), { workerData: { shared, periodMs } satisfies Ticking });
  worker.on('message', () => {
    Atomics.store(shared, isTold, 0);
    onTick();
  });
  return {
    async stop() {
      Atomics.store(shared, stopped, 1);
      Atomics.notify(shared, stopped);
      await worker.terminate();
    },
  };
}

const { shared, periodMs } = (workerData ?? {}) as Partial<Ticking>;
if (shared instanceof Int32Array) {
  while (Atomics.load(shared, stopped) === 0) {
    Atomics.wait(shared, stopped, 0, periodMs);
    // One word at a time: a main thread that is busy must not find a heap of them.
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    if (Atomics.exchange(shared, isTold, 1) === 0) parentPort?.postMessage(0);
  }
}
