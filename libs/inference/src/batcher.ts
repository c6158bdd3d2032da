import { PlatformError } from '@mooring/errors';
import { retryAfterOf } from '@mooring/overload';
import type { Tensor } from '@mooring/tensor';
import { BatchSize } from './batch-size.ts';
import { batchKey, joinRows, rowsOf, sliceRows } from './batch-tensors.ts';

export interface RunRequest {
  inputs: readonly Tensor[];
  outputs: readonly string[];
  /** On the clock of `nowMs`; Infinity when there is none. Checked before the run, never during it. */
  deadlineAtMs: number;
  /** A batch request or a mirrored copy: runs when no live request waits. */
  yields: boolean;
  signal: AbortSignal;
}

export interface RunAnswer {
  /** In the order of the request's `outputs`. */
  outputs: Tensor[];
  /** Waited for another run to end, and then for more requests to come. */
  queueUs: number;
  batchWaitUs: number;
  computeUs: number;
  batchId: string;
  batchRows: number;
  rows: number;
}

/** What a run gave, with its time where the runner knows better than a clock around it. */
export interface TimedRun {
  outputs: Tensor[];
  runUs: number;
}

export interface BatcherOptions {
  run: (inputs: readonly Tensor[], outputs: readonly string[]) => Promise<Tensor[] | TimedRun> | Tensor[];
  /** Runs at the same time; 1 when absent. */
  parallel?: number;
  /** Rows in one run. 1 = every request runs alone. */
  rowsMax: number;
  /** How long the oldest request waits for others to join it; 0 = only for those that arrive in the same tick. */
  delayUs: number;
  /** Requests that may wait; a further one is refused with QUEUE_FULL. */
  queueMax: number;
  batchIdPrefix: string;
  nowMs: () => number;
  /** Told of every run of the model, failed ones included. */
  onRun: (rows: number, computeUs: number) => void;
}

export interface Batcher {
  /** Rejects with PlatformError: `cancelled`, `deadline_exceeded` and `resource_exhausted` before the run, else the run's. */
  submit(request: RunRequest): Promise<RunAnswer>;
  /** Resolves when nothing waits or runs. */
  idle(): Promise<void>;
}

interface Entry {
  request: RunRequest;
  rows: number;
  /** Of the rows that may wait: one that fills a run by itself counts as that run, however large it is. */
  weight: number;
  /** Undefined: must run alone. */
  key: string | undefined;
  arrivedMs: number;
  /** When the model was free for it. */
  eligibleMs: number;
  resolve: (answer: RunAnswer) => void;
  reject: (error: unknown) => void;
}

/** Throws what a Batcher rejects with. */
export interface AtOnce {
  submit(request: RunRequest): RunAnswer;
  idle(): Promise<void>;
}

/**
 * Runs each request by itself, as soon as it comes: for a model that this very thread runs in microseconds and whose requests
 * never share a run, waiting for the end of the tick would only cost a turn of the event loop.
 */
export function createAtOnce(
  options: Pick<BatcherOptions, 'batchIdPrefix' | 'nowMs' | 'onRun'> & {
    run: (inputs: readonly Tensor[], outputs: readonly string[]) => Tensor[];
  },
): AtOnce {
  const { run, nowMs, onRun, batchIdPrefix } = options;
  let runs = 0;
  return {
    idle: () => Promise.resolve(),
    submit: ({ inputs, outputs, deadlineAtMs, signal }) => {
      if (signal.aborted) throw cancelled();
      const startMs = nowMs();
      if (deadlineAtMs <= startMs) throw expired();
      let computeUs = 0;
      try {
        const results = run(inputs, outputs);
        computeUs = micros(nowMs() - startMs);
        const batchId = `${batchIdPrefix}-${++runs}`;
        return { outputs: results, queueUs: 0, batchWaitUs: 0, computeUs, batchId, batchRows: 1, rows: 1 };
      } finally {
        onRun(1, computeUs);
      }
    },
  };
}

/** More rows than this many batches never wait: by then the delay is longer than any caller's patience. */
const queuedBatchesMax = 64;
/** Weight of the newest run in their mean time. */
const newestShare = 0.1;
/** Shorter runs are worth the core that counting microseconds takes; milliseconds before others are not. */
const exactRunMsMax = 1;
/** Told as Retry-After before any run has been timed. */
const notMeasuredMs = 1_000;

/**
 * One model, so many runs at a time; requests that wait together share a run, joined along the first dimension and split
 * again. When a shared run fails, its members run again one by one, so that a bad row fails only its own request.
 */
export function createBatcher(options: BatcherOptions): Batcher {
  return new RunBatcher(options);
}

class RunBatcher implements Batcher {
  readonly #options: BatcherOptions;
  #queue: Entry[] = [];
  #queuedRows = 0;
  #pumping: Promise<void> | undefined;
  #batches = 0;
  /** Recent mean of one run. */
  #runMs = 0;
  #running = 0;
  #runningRows = 0;
  readonly #size: BatchSize;
  /** Called when a run ends. */
  #freed: () => void = () => {};
  #wake: () => void = () => {};

  constructor(options: BatcherOptions) {
    this.#options = options;
    this.#size = new BatchSize(options.rowsMax, options.parallel ?? 1);
  }

  async idle(): Promise<void> {
    await this.#pumping;
    while (this.#running > 0) await this.#untilFreed();
  }

  submit(request: RunRequest): Promise<RunAnswer> {
    if (request.signal.aborted) return Promise.reject(cancelled());
    const { rowsMax, queueMax } = this.#options;
    const rows = rowsMax > 1 ? rowsOf(request.inputs) : undefined;
    const weight = Math.min(rows ?? 1, rowsMax);
    if (
      this.#queue.length >= queueMax ||
      (this.#queue.length > 0 && this.#queuedRows + weight > rowsMax * queuedBatchesMax)
    ) {
      return Promise.reject(this.#full());
    }
    const shares = rows !== undefined && rows > 0 && rows < rowsMax;
    return new Promise((resolve, reject) => {
      const key = shares ? batchKey(request.inputs) : undefined;
      const arrivedMs = this.#options.nowMs();
      const entry: Entry = { request, rows: rows ?? 1, weight, key, arrivedMs, eligibleMs: 0, resolve, reject };
      this.#queue.push(entry);
      this.#queuedRows += weight;
      onAbort(entry, () => {
        if (!this.#queue.includes(entry)) return;
        this.#remove([entry]);
        reject(cancelled());
      });
      if (this.#queuedRows >= this.#size.wanted()) this.#wake();
      this.#pumping ??= this.#pump();
    });
  }

  /** What waits, at the pace of late, is done after so long. */
  #full(): PlatformError {
    const { parallel = 1, rowsMax } = this.#options;
    const runs = Math.max(this.#queuedRows, this.#queue.length) / rowsMax;
    const message = `${this.#queue.length} requests wait for the model already`;
    const retryAfterMs = this.#runMs === 0 ? notMeasuredMs : retryAfterOf((runs * this.#runMs) / parallel);
    return new PlatformError('resource_exhausted', 'QUEUE_FULL', message, { retryAfterMs });
  }

  #untilFreed(): Promise<void> {
    return new Promise((resolve) => {
      const others = this.#freed;
      this.#freed = () => {
        this.#freed = () => {};
        others();
        resolve();
      };
    });
  }

  async #pump(): Promise<void> {
    const { parallel = 1 } = this.#options;
    try {
      while (this.#queue.length > 0) {
        while (this.#running >= parallel) await this.#untilFreed();
        const freeMs = this.#options.nowMs();
        await this.#gather();
        this.#dropExpired();
        const batch = this.#take();
        for (const entry of batch) entry.eligibleMs = Math.max(entry.arrivedMs, freeMs);
        if (batch.length === 0) continue;
        const rows = rowsIn(batch);
        this.#running += 1;
        this.#runningRows += rows;
        const run = this.#runBatch(batch).finally(() => {
          this.#running -= 1;
          this.#runningRows -= rows;
          this.#freed();
        });
        if (parallel === 1) await run;
      }
    } finally {
      // In the same turn as the last look at the queue: a caller that submits again at once must start a new pump.
      this.#pumping = undefined;
    }
  }

  /** Waits until as many rows are there as are likely to come, or the head of the queue has waited long enough. */
  async #gather(): Promise<void> {
    // Requests of one tick arrive in its poll phase; the check phase comes after it.
    await nextTick();
    if (this.#options.rowsMax <= 1 || this.#options.delayUs === 0) return;
    while (this.#queue.length > 0 && this.#queuedRows < this.#size.wanted()) {
      const head = this.#queue[0] as Entry;
      if (head.key === undefined) return;
      const leftMs = head.arrivedMs + this.#options.delayUs / 1000 - this.#options.nowMs();
      if (leftMs <= 0) return;
      // Timers are whole milliseconds; the rest is turned over tick by tick, or left away.
      const exact = this.#runMs < exactRunMsMax;
      if (exact && leftMs < 2) await nextTick();
      else if (leftMs < 0.5) return;
      else await this.#sleep(exact ? leftMs - 1 : leftMs);
    }
  }

  /** At most so long: more rows may end it. */
  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #dropExpired(): void {
    const now = this.#options.nowMs();
    const late = this.#queue.filter((entry) => entry.request.deadlineAtMs <= now);
    if (late.length > 0) this.#remove(late);
    for (const entry of late) entry.reject(expired());
  }

  #remove(entries: readonly Entry[]): void {
    const gone = new Set(entries);
    this.#queue = this.#queue.filter((entry) => !gone.has(entry));
    this.#queuedRows = this.#queue.reduce((sum, entry) => sum + entry.weight, 0);
  }

  /** Takes the next run's members off the queue: the oldest live request (else the oldest) and what fits to it. */
  #take(): Entry[] {
    const head = this.#queue.find((entry) => !entry.request.yields) ?? this.#queue[0];
    if (head === undefined) return [];
    const batch = [head];
    let rows = head.rows;
    const share = this.#size.share(this.#queuedRows, this.#runningRows);
    if (head.key !== undefined) {
      for (const yields of [false, true]) {
        for (const entry of this.#queue) {
          if (entry === head || entry.request.yields !== yields || entry.key !== head.key) continue;
          if (rows + entry.rows > share) continue;
          batch.push(entry);
          rows += entry.rows;
        }
      }
    }
    this.#remove(batch);
    return batch;
  }

  async #runBatch(batch: readonly Entry[]): Promise<void> {
    const batchId = `${this.#options.batchIdPrefix}-${++this.#batches}`;
    if (batch.length === 1) return this.#runAlone(batch[0] as Entry, batchId);
    const outputs = [...new Set(batch.flatMap((entry) => entry.request.outputs))];
    const rows = rowsIn(batch);
    const startMs = this.#options.nowMs();
    let results: Tensor[];
    let computeUs: number;
    try {
      ({ outputs: results, runUs: computeUs } = await this.#timedRun(joinInputs(batch), outputs, rows));
      const uneven = results.find((tensor) => tensor.shape[0] !== rows);
      if (uneven !== undefined)
        throw new RangeError(`output '${uneven.name}' has ${uneven.shape[0]} rows, not ${rows}`);
    } catch {
      // Whose fault it was cannot be known from a shared run.
      for (const [index, entry] of batch.entries()) await this.#runAlone(entry, `${batchId}.${index}`);
      return;
    }
    let from = 0;
    for (const entry of batch) {
      const to = from + entry.rows;
      const own = entry.request.outputs.map((name) => sliceRows(results[outputs.indexOf(name)] as Tensor, from, to));
      entry.resolve({ outputs: own, ...waits(entry, startMs), computeUs, batchId, batchRows: rows, rows: entry.rows });
      from = to;
    }
  }

  async #runAlone(entry: Entry, batchId: string): Promise<void> {
    const { request, rows } = entry;
    if (request.signal.aborted) return entry.reject(cancelled());
    const startMs = this.#options.nowMs();
    if (request.deadlineAtMs <= startMs) return entry.reject(expired());
    try {
      const { outputs, runUs: computeUs } = await this.#timedRun(request.inputs, request.outputs, rows);
      entry.resolve({ outputs, ...waits(entry, startMs), computeUs, batchId, batchRows: rows, rows });
    } catch (thrown) {
      entry.reject(thrown);
    }
  }

  async #timedRun(inputs: readonly Tensor[], outputs: readonly string[], rows: number): Promise<TimedRun> {
    const startMs = this.#options.nowMs();
    let runUs: number | undefined;
    try {
      const result = await this.#options.run(inputs, outputs);
      if (!Array.isArray(result)) ({ runUs } = result);
      runUs ??= micros(this.#options.nowMs() - startMs);
      return { outputs: Array.isArray(result) ? result : result.outputs, runUs };
    } finally {
      const tookUs = runUs ?? micros(this.#options.nowMs() - startMs);
      const tookMs = tookUs / 1_000;
      this.#runMs = this.#runMs === 0 ? tookMs : this.#runMs + newestShare * (tookMs - this.#runMs);
      this.#options.onRun(rows, tookUs);
    }
  }
}

function rowsIn(batch: readonly Entry[]): number {
  return batch.reduce((sum, entry) => sum + entry.rows, 0);
}

function joinInputs(batch: readonly Entry[]): Tensor[] {
  const first = batch[0] as Entry;
  return first.request.inputs.map(({ name }) =>
    // The inputs of each request may come in an order of their own.
    joinRows(batch.map((entry) => entry.request.inputs.find((tensor) => tensor.name === name) as Tensor)),
  );
}

function waits(entry: Entry, startMs: number): { queueUs: number; batchWaitUs: number } {
  return { queueUs: micros(entry.eligibleMs - entry.arrivedMs), batchWaitUs: micros(startMs - entry.eligibleMs) };
}

function onAbort(entry: Entry, cancel: () => void): void {
  const { signal } = entry.request;
  signal.addEventListener('abort', cancel, { once: true });
  const { resolve, reject } = entry;
  entry.resolve = (answer) => {
    signal.removeEventListener('abort', cancel);
    resolve(answer);
  };
  entry.reject = (error) => {
    signal.removeEventListener('abort', cancel);
    reject(error);
  };
}

function nextTick(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function micros(ms: number): number {
  return Math.max(0, Math.round(ms * 1000));
}

export function cancelled(): PlatformError {
  return new PlatformError('cancelled', 'CALLER_GONE', 'the caller went away before the model ran');
}

function expired(): PlatformError {
  return new PlatformError(
    'deadline_exceeded',
    'DEADLINE_BEFORE_RUN',
    'the deadline passed while the request waited for the model',
  );
}
