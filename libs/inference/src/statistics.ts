/** A count and the nanoseconds that they took together. */
export interface Duration {
  count: number;
  ns: number;
}

/** What one model did since it was loaded, by the counting rules of Triton's statistics extension. */
export interface Statistics {
  /** Milliseconds since the epoch; 0 = none yet. */
  lastInference: number;
  /** Rows of successful requests. */
  inferenceCount: number;
  /** Runs of the model, so that the first divided by the second is the average batch. */
  executionCount: number;
  success: Duration;
  fail: Duration;
  queue: Duration;
  computeInput: Duration;
  computeInfer: Duration;
  computeOutput: Duration;
  /** Runs by their number of rows. */
  batches: ReadonlyMap<number, Duration>;
}

export interface RequestTimes {
  totalUs: number;
  queueUs: number;
  preprocessUs: number;
  computeUs: number;
  postprocessUs: number;
}

export interface StatisticsRecorder {
  succeeded(times: RequestTimes, rows: number): void;
  failed(totalUs: number): void;
  ran(rows: number, computeUs: number): void;
  read(): Statistics;
}

/** Different batch sizes that are kept apart; further ones are counted in the totals only. */
const batchSizesMax = 256;

export function createStatistics(nowEpochMs: () => number): StatisticsRecorder {
  const zero = (): Duration => ({ count: 0, ns: 0 });
  const batches = new Map<number, Duration>();
  const all = {
    lastInference: 0,
    inferenceCount: 0,
    executionCount: 0,
    success: zero(),
    fail: zero(),
    queue: zero(),
    computeInput: zero(),
    computeInfer: zero(),
    computeOutput: zero(),
    batches,
  };
  return {
    succeeded: (times, rows) => {
      all.lastInference = nowEpochMs();
      all.inferenceCount += rows;
      add(all.success, times.totalUs);
      add(all.queue, times.queueUs);
      add(all.computeInput, times.preprocessUs);
      add(all.computeInfer, times.computeUs);
      add(all.computeOutput, times.postprocessUs);
    },
    failed: (totalUs) => {
      all.lastInference = nowEpochMs();
      add(all.fail, totalUs);
    },
    ran: (rows, computeUs) => {
      all.executionCount += 1;
      if (!batches.has(rows) && batches.size < batchSizesMax) batches.set(rows, zero());
      const size = batches.get(rows);
      if (size !== undefined) add(size, computeUs);
    },
    read: () => all,
  };
}

function add(duration: Duration, us: number): void {
  duration.count += 1;
  duration.ns += us * 1000;
}
