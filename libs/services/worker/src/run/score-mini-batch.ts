import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import { commit, readMiniBatch, type JobFiles } from '@mooring/batch-jobs';
import { failureReasons, writeFailedPart, type MiniBatchRunner } from '@mooring/batch-runtime';
import type { JobRecord, MiniBatch, MiniBatchMessage, MiniBatchRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { WorkItem } from '@mooring/messaging';
import type { Tracing } from '@mooring/telemetry';
import type { Records } from '../ports.ts';
import { seeMiniBatch } from './see-mini-batch.ts';

export interface ScoreDeps {
  records: Records;
  files: JobFiles;
  job: JobRecord;
  runner: MiniBatchRunner;
  /** After so long a silence the queue takes a worker for dead. */
  ackWaitMs: number;
  /** Tells this worker process from others. */
  worker: string;
  clock: () => Date;
  tracing: Tracing;
  log: Logger;
}

/** How often within the time of `ackWaitMs` the queue is told that the work goes on. */
const keepsWithin = 4;
const storeRetryMs = 1_000;

/** How long nothing more is tried when a disk had no room, or what else is none of the mini-batch's faults stood in the way. */
export const givenBackMs = 5_000;

/**
 * Runs one mini-batch as often as its job allows, and makes its record. False: it could not be finished here and was given back, as
 * would be the next one. Rejects only when `signal` is aborted.
 */
export async function scoreMiniBatch(
  deps: ScoreDeps,
  item: WorkItem<MiniBatchMessage>,
  signal: AbortSignal,
): Promise<boolean> {
  const keeping = setInterval(() => item.keep(), deps.ackWaitMs / keepsWithin);
  const sight = seeMiniBatch(deps.tracing, deps.job, item);
  try {
    const batch = await readMiniBatch(deps.files, item.value);
    const record = await runUntilDone(deps, batch, signal);
    const counted = await committed(deps, record, signal);
    sight.ended(record, counted);
    if (!counted)
      deps.log.info({ job: deps.job.name, miniBatch: batch.index }, 'another run of this mini-batch was first');
    // Without an answer it comes again, and is found done.
    await item.done().catch(() => undefined);
    return true;
  } catch (thrown) {
    sight.givenBack(thrown);
    item.giveBack(signal.aborted ? 0 : givenBackMs);
    signal.throwIfAborted();
    deps.log.warn({ err: thrown, job: deps.job.name, miniBatch: item.value.index }, 'a mini-batch was given back');
    return false;
  } finally {
    clearInterval(keeping);
  }
}

async function runUntilDone(deps: ScoreDeps, batch: MiniBatch, signal: AbortSignal): Promise<MiniBatchRecord> {
  const { maxRetries, timeoutS } = deps.job.settings.retrySettings;
  const startedAt = deps.clock().toISOString();
  for (let runs = 1; ; runs += 1) {
    const outcome = await deps.runner.run(batch, { timeoutMs: timeoutS * 1_000, signal, runs });
    const base = {
      index: batch.index,
      attempt: batch.attempt,
      items: batch.items,
      skipped: 0,
      bytes: bytesOf(batch),
      runs,
      worker: deps.worker,
      startedAt,
    };
    if (outcome.kind === 'done') {
      const { kind: _kind, ...counts } = outcome;
      return { ...base, ...counts, endedAt: deps.clock().toISOString() };
    }
    if (runs <= maxRetries) continue;
    const why = { reason: failureReasons[outcome.kind], message: outcome.message, runs };
    const errors = await writeFailedPart(deps.files.parts, batch, why);
    return {
      ...base,
      succeeded: 0,
      failed: batch.items,
      failedWhole: true,
      errors,
      endedAt: deps.clock().toISOString(),
    };
  }
}

function bytesOf({ files, rows }: MiniBatch): number {
  if (rows?.bytes !== undefined) return rows.bytes.end - rows.bytes.start;
  const read = rows === undefined ? (files ?? []) : [rows.file];
  return read.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** What has been worked for is not thrown away because NATS is away for a while. */
async function committed(deps: ScoreDeps, record: MiniBatchRecord, signal: AbortSignal): Promise<boolean> {
  for (;;) {
    try {
      return await commit(deps.records, deps.job.name, deps.files, record);
    } catch (thrown) {
      if (PlatformError.from(thrown).code !== 'unavailable') throw thrown;
      await setTimeout(storeRetryMs, undefined, { signal });
    }
  }
}
