import { existsSync } from 'node:fs';
import type { Logger } from 'pino';
import {
  commit,
  jobFiles,
  jobKey,
  jsonLines,
  recordKey,
  type Launches,
  type MiniBatchRecords,
} from '@mooring/batch-jobs';
import {
  readBatchSettings,
  type BatchLaunch,
  type CommandLaunch,
  type JobRecord,
  type MiniBatch,
  type MiniBatchRecord,
} from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Watch } from '@mooring/messaging';
import type { ArtifactStore } from '@mooring/storage';
import { metrics } from '@mooring/telemetry';
import { isActive, moved } from '../domain/job-state.ts';
import { addUsage } from '../domain/job-usage.ts';
import { findInput, type FoundInput } from '../input/find-input.ts';
import type { WebInput } from '../input/web/web-input.ts';
import { prepareInput, type PrepareOptions } from '../input/prepare-input.ts';
import { finalize, type Finalized } from '../output/finalize.ts';
import { PartDamaged } from '../output/part-damaged.ts';
import { findStepInputs, prepareCommandStep } from '../pipeline/prepare-step.ts';
import { runPipeline } from '../pipeline/run-pipeline.ts';
import { isPipeline } from '../pipeline/step-job.ts';
import type { Catalog, Work } from '../ports.ts';
import { Feed } from './feed.ts';
import type { JobBook } from './job-book.ts';
import { Pace } from './pace.ts';
import { Tally } from './tally.ts';

export interface JobRunDeps {
  book: JobBook;
  records: MiniBatchRecords;
  work: Work;
  catalog: Catalog;
  launches: Launches;
  store: ArtifactStore;
  web: WebInput;
  /** Folder of all jobs. */
  jobsFolder: string;
  clock: () => Date;
  log: Logger;
}

/** How often the document is brought up to date. */
const progressMs = 1_000;
/** How often it is looked whether the queue still holds what should be on it. */
const mendMs = 10_000;

/** What another try would end in as well. */
const finalCodes = new Set([
  'invalid_argument',
  'not_found',
  'already_exists',
  'failed_precondition',
  'permission_denied',
  'too_large',
  'unimplemented',
]);

/**
 * Takes one job from where its document says it is to its end. Everything it knows is in documents and files, so it may be
 * stopped anywhere and begun again. Rejects when it could not go on for now.
 */
export async function runJob(deps: JobRunDeps, name: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    signal.throwIfAborted();
    const job = await deps.book.get(name);
    if (isPipeline(job) && isActive(job)) await runPipeline(deps, job, signal);
    else if (isActive(job) && isLost(deps, job)) await fail(deps, job, lost);
    else if (job.status === 'Preparing') await prepare(deps, job, signal);
    else if (job.status === 'CancelRequested' && job.listing === undefined) {
      await deps.book.change(name, (now) => moved(now, 'Canceled', deps.clock()));
    } else if (job.status === 'Running' || job.status === 'CancelRequested') await runAttempt(deps, job, signal);
    else if (job.status === 'Finalizing') await finish(deps, job, signal);
    else return;
  }
}

/** What was listed once is never listed again, so without it nobody knows what the job's mini-batches are. */
const lost = {
  code: 'JOB_FILES_LOST',
  message:
    'the work files of the job are gone: a scoring script may write to AZUREML_BI_OUTPUT_PATH alone, and nobody may remove them. Submit it again.',
};

function isLost({ jobsFolder }: JobRunDeps, { name, listing }: JobRecord): boolean {
  return listing !== undefined && !existsSync(jobFiles(jobsFolder, name).miniBatches);
}

async function prepare(deps: JobRunDeps, job: JobRecord, stopped: AbortSignal): Promise<void> {
  // An environment, a file of the web or a million names may take minutes, which nobody who cancels waits for.
  const left = new AbortController();
  const signal = AbortSignal.any([stopped, left.signal]);
  const looking = setInterval(() => {
    void deps.book.get(job.name).then(
      ({ status }) => status !== 'Preparing' && left.abort(),
      () => undefined,
    );
  }, progressMs);
  try {
    const launch = await deps.launches.prepare(job, signal);
    const rowsPerMiniBatch = launch.runtime.kind === 'onnx' ? rowsOf(job) : undefined;
    // What is listed once stays: a resumed job means the same files.
    const { listing, step } = await listInput(deps, job, { rowsPerMiniBatch, signal });
    await deps.book.change(job.name, (now) =>
      now.status === 'Preparing'
        ? moved(now, 'Running', deps.clock(), { listing, ran: ranOf(launch), ...step })
        : undefined,
    );
  } catch (thrown) {
    stopped.throwIfAborted();
    if (left.signal.aborted) return;
    const error = PlatformError.from(thrown);
    if (!finalCodes.has(error.code)) throw error;
    await fail(deps, job, { code: error.reason, message: error.message });
  } finally {
    clearInterval(looking);
  }
}

async function listInput(
  deps: JobRunDeps,
  job: JobRecord,
  options: PrepareOptions,
): Promise<{ listing: NonNullable<JobRecord['listing']>; step?: Pick<JobRecord, 'step'> }> {
  const files = jobFiles(deps.jobsFolder, job.name);
  const fetch = (url: URL): Promise<string> => {
    // The list may be another one than when the job was accepted.
    deps.web.check(url);
    return deps.web.fetch(url, files.fetched, options.signal);
  };
  const find = (input: { uri: string }): Promise<FoundInput> => findInput(input, deps.catalog, deps.store, fetch);
  const list = async (): Promise<NonNullable<JobRecord['listing']>> =>
    prepareInput(job, await find(job.input), files, options);
  if (job.step === undefined) return { listing: job.listing ?? (await list()) };
  const paths = await findStepInputs(job.step, find, files);
  const listing =
    job.listing ?? (job.step.command === undefined ? await list() : await prepareCommandStep(job, paths, files));
  return { listing, step: { step: { ...job.step, paths } } };
}

/** A property of the deployment, which the job's document carries. */
function rowsOf({ properties }: JobRecord): number {
  return readBatchSettings(properties).settings.rowsPerMiniBatch;
}

function ranOf({ model, codeDigest, environmentDigest }: BatchLaunch | CommandLaunch): NonNullable<JobRecord['ran']> {
  return {
    ...(model === undefined ? {} : { modelSha256: model.digest }),
    ...(codeDigest === undefined ? {} : { codeSha256: codeDigest }),
    ...(environmentDigest === undefined ? {} : { environment: environmentDigest }),
  };
}

/** From the status that `job` was seen in; nothing more is written. */
async function fail(
  { book, clock }: JobRunDeps,
  job: JobRecord,
  error: NonNullable<JobRecord['error']>,
): Promise<void> {
  await book.change(job.name, (now) => {
    const { ending: _ending, ...rest } = now;
    return now.status === job.status ? moved(rest, 'Failed', clock(), { error }) : undefined;
  });
}

type End = Pick<JobRecord, 'error'> & { ending: NonNullable<JobRecord['ending']> };

/** Until the attempt has come to an end, and that is written down. */
async function runAttempt(deps: JobRunDeps, job: JobRecord, signal: AbortSignal): Promise<void> {
  const { book, work, records } = deps;
  if (job.listing === undefined)
    throw new PlatformError('internal', 'JOB_NOT_LISTED', `job '${job.name}' has no listing`);
  const lane = jobKey(job.name);
  const files = jobFiles(deps.jobsFolder, job.name);
  const tally = new Tally(job.attempt, job.listing);
  const changed = new Wake();
  const stopped = AbortSignal.any([signal, changed.ended]);
  let watch: Watch | undefined;
  await work.close(lane);
  const announce = async (pushedTo: number): Promise<void> => {
    await book.change(job.name, (now) => ({ ...now, pushedTo: Math.max(now.pushedTo, pushedTo) }));
  };
  const feed = new Feed(job, files, tally, work, announce);
  try {
    watch = await records.watch({ prefix: lane, signal: stopped }, (key, entry) => {
      tally.note(key, entry);
      changed.wake();
    });
    const end = await untilEnd(deps, job, { tally, feed, changed, signal });
    await work.close(lane);
    if (end === undefined) return;
    await skipTheRest(deps, job, tally, signal);
    await book.change(job.name, (now) =>
      moved(
        { ...now, progress: progressOf(tally), usage: addUsage(tally.usage, now.usedBefore) },
        'Finalizing',
        deps.clock(),
        end,
      ),
    );
  } finally {
    changed.end();
    watch?.stop();
    await feed.close();
  }
}

interface Going {
  tally: Tally;
  feed: Feed;
  changed: Wake;
  signal: AbortSignal;
}

/** Undefined: it cannot go on as it was begun. */
async function untilEnd(
  deps: JobRunDeps,
  job: JobRecord,
  { tally, feed, changed, signal }: Going,
): Promise<End | undefined> {
  const pace = new Pace();
  let [saidAtMs, mendedAtMs] = [0, performance.now()];
  for (;;) {
    signal.throwIfAborted();
    const end = endOf(job, tally);
    if (end !== undefined) return end;
    await feed.fill();
    const nowMs = performance.now();
    if (nowMs - mendedAtMs >= mendMs) {
      if (isLost(deps, job)) return undefined;
      await feed.mend();
      mendedAtMs = nowMs;
    }
    if (nowMs - saidAtMs >= progressMs) {
      const { status } = await say(deps, job, tally, pace);
      if (status === 'CancelRequested') return { ending: 'Canceled' };
      saidAtMs = nowMs;
    }
    await changed.next(progressMs, signal);
  }
}

/** What the attempt has come to, if it has. */
function endOf({ settings, listing }: JobRecord, tally: Tally): End | undefined {
  const { failed, succeeded } = tally.totals;
  if (tally.trouble !== undefined) {
    const { code, message } = tally.trouble;
    return { ending: 'Failed', error: { code, message } };
  }
  const { errorThreshold } = settings;
  if (errorThreshold >= 0 && failed > errorThreshold) {
    const message = `${failed} items failed, and error_threshold allows ${errorThreshold} of the whole input. errors.jsonl names them.`;
    return { ending: 'Failed', error: { code: 'ErrorThresholdExceeded', message } };
  }
  if (!tally.allDone) return undefined;
  if (succeeded > 0) return { ending: 'Completed' };
  const message = `no item of ${listing?.items ?? 0} succeeded. errors.jsonl says why.`;
  return { ending: 'Failed', error: { code: 'NoSucceededItem', message } };
}

function progressOf({ totals, doneCount }: Tally): JobRecord['progress'] {
  return { succeeded: totals.succeeded, failed: totals.failed, skipped: 0, miniBatchesDone: doneCount };
}

async function say({ book }: JobRunDeps, job: JobRecord, tally: Tally, pace: Pace): Promise<JobRecord> {
  const progress = progressOf(tally);
  const items = job.listing?.items ?? 0;
  const pacing = pace.note(progress.succeeded + progress.failed, items);
  return book.change(job.name, (now) => {
    const next = { ...now, progress: { ...progress, ...pacing }, usage: addUsage(tally.usage, now.usedBefore) };
    return JSON.stringify(next) === JSON.stringify(now) ? undefined : next;
  });
}

/**
 * Closes what workers may still have: each mini-batch that was on the queue and has no record gets one that says it was skipped. A
 * worker that finishes it after that is too late, and one that was before is counted. Those that were never on the queue
 * cannot be finished by anybody.
 */
async function skipTheRest(deps: JobRunDeps, job: JobRecord, tally: Tally, signal: AbortSignal): Promise<void> {
  if (tally.allDone) return;
  const { pushedTo, attempt } = await deps.book.get(job.name);
  const files = jobFiles(deps.jobsFolder, job.name);
  const now = deps.clock().toISOString();
  for await (const { value } of jsonLines<MiniBatch>(files.miniBatches)) {
    if (value.index >= pushedTo) return;
    signal.throwIfAborted();
    if (tally.isDone(value.index)) continue;
    const record: MiniBatchRecord = {
      index: value.index,
      attempt,
      items: value.items,
      succeeded: 0,
      failed: 0,
      skipped: value.items,
      runs: 0,
      worker: 'batch-scheduler',
      startedAt: now,
      endedAt: now,
    };
    await commit(deps.records, job.name, files, record);
  }
}

async function finish(deps: JobRunDeps, job: JobRecord, signal: AbortSignal): Promise<void> {
  let finalized: Finalized;
  try {
    finalized = await finalize(deps, job, signal);
  } catch (thrown) {
    if (thrown instanceof PartDamaged) return repair(deps, job, thrown);
    const { code, reason, message } = PlatformError.from(thrown);
    if (!finalCodes.has(code)) throw thrown;
    // A place that refuses the output would do so each time, and the job hold up others for good. Resumed, it is tried again.
    return fail(deps, job, { code: reason, message: `what was scored could not be written to its place: ${message}` });
  }
  const { counts, error } = finalized;
  await deps.book.change(job.name, (now) => {
    if (now.status !== 'Finalizing') return undefined;
    const { ending = 'Failed', ...rest } = now;
    const { usage, ...items } = counts;
    const known = { ...rest, usage, progress: { ...now.progress, ...items }, ...(error && { error }) };
    return moved(known, ending, deps.clock());
  });
  const { endpoint, deployment } = job;
  metrics.batchItems.inc({ endpoint, deployment, result: 'skipped' }, counts.skipped);
  deps.log.info({ job: job.name, ...counts, status: job.ending }, 'batch job ended');
}

/** Of a job, beside one for each of its mini-batches: a script that damages its own parts would do so for ever. */
const repairsSpare = 3;

/** A mini-batch whose part is lost has not been done. Of a job that ended early it counts as skipped, else it runs again. */
async function repair(deps: JobRunDeps, job: JobRecord, damaged: PartDamaged): Promise<void> {
  const { records, book, clock, log } = deps;
  log.warn({ job: job.name, miniBatch: damaged.index }, damaged.message);
  await records.delete(recordKey(job.name, damaged.index));
  if (job.ending !== 'Completed') return;
  const repairs = (job.repairs ?? 0) + 1;
  if (repairs > (job.listing?.miniBatches ?? 0) + repairsSpare) {
    const message = `${damaged.message}, ${repairs} times in all. Scripts must write to AZUREML_BI_OUTPUT_PATH alone; then resume the job.`;
    return fail(deps, job, { code: damaged.reason, message });
  }
  await book.change(job.name, (now) => {
    const { ending: _ending, ...rest } = now;
    return now.status === 'Finalizing' ? moved({ ...rest, repairs }, 'Running', clock()) : undefined;
  });
}

/** Waits for something to happen. */
class Wake {
  readonly #end = new AbortController();
  #woken = Promise.withResolvers<void>();

  get ended(): AbortSignal {
    return this.#end.signal;
  }

  wake(): void {
    this.#woken.resolve();
  }

  end(): void {
    this.#end.abort();
  }

  async next(waitMs: number, signal: AbortSignal): Promise<void> {
    const timer = setTimeout(() => this.wake(), waitMs);
    const onAbort = (): void => this.wake();
    signal.addEventListener('abort', onAbort, { once: true });
    await this.#woken.promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    this.#woken = Promise.withResolvers<void>();
  }
}
