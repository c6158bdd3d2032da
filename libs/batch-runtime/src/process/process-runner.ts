import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { MiniBatch, PartFile } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { newPartNames, removeParts, syncFolder, type PartNames } from '../parts/part-names.ts';
import type { MiniBatchOutcome, MiniBatchRunner, RunnerOptions, RunOptions } from '../runner.ts';
import { JobProcess } from './job-process.ts';

const loadTimeoutMs = 600_000;

/** What a runner's process is, and what it loads. */
export interface ProcessPlan {
  command: string;
  args: readonly string[];
  cwd: string;
  environment: Readonly<Record<string, string>>;
  memoryMib: number;
  /** The first message to it. */
  load: object;
  /** For messages: `the scoring script score.py`. */
  what: string;
  /** What sets the time of a run, for messages. */
  timeSetting?: string;
}

type Answer = { kind: 'message'; message: Record<string, unknown> } | { kind: 'ended'; words: string };
type Waited = Answer | { kind: 'late' } | { kind: 'aborted' };

/** A runner whose work is done by a process that answers `load` and `run`; it is made anew when it was lost. */
export class ProcessRunner implements MiniBatchRunner {
  readonly #plan: ProcessPlan;
  readonly #options: RunnerOptions;
  #process: JobProcess | undefined;
  #heard: (answer: Answer) => void = () => undefined;
  #answer = Promise.withResolvers<Answer>();

  constructor(plan: ProcessPlan, options: RunnerOptions) {
    this.#plan = plan;
    this.#options = options;
  }

  async start(signal: AbortSignal): Promise<void> {
    const { partsFolder, workFolder, outputFolder } = this.#options;
    for (const folder of [partsFolder, workFolder, join(workFolder, 'tmp'), outputFolder])
      await mkdir(folder, { recursive: true });
    await this.#open(signal);
  }

  async run(batch: MiniBatch, options: RunOptions): Promise<MiniBatchOutcome> {
    if (options.signal.aborted) throw cancelled();
    const process = this.#process ?? (await this.#reopen(options.signal));
    if (!(process instanceof JobProcess)) return { kind: 'process-lost', message: process };
    const names = newPartNames(batch.index);
    const outcome = await this.#runIn(process, batch, names, options).catch(async (error: unknown) => {
      await this.#forget(names);
      throw error;
    });
    if (outcome.kind !== 'done') await this.#forget(names);
    return outcome;
  }

  async stop(signal: AbortSignal): Promise<void> {
    await this.#process?.stop(signal);
  }

  async #runIn(
    process: JobProcess,
    batch: MiniBatch,
    names: PartNames,
    { timeoutMs, signal, runs }: RunOptions,
  ): Promise<MiniBatchOutcome> {
    const { partsFolder, settings } = this.#options;
    const part = settings.outputAction === 'summary_only' ? null : join(partsFolder, names.part);
    process.send({ type: 'run', batch, part, errors: join(partsFolder, names.errors), runs });
    const answer = await this.#wait(timeoutMs, signal);
    switch (answer.kind) {
      case 'message':
        return this.#outcome(process, answer.message, batch, names);
      case 'ended':
        return { kind: 'process-lost', message: `the process of ${this.#plan.what} ${answer.words} in run()` };
      case 'late': {
        const message = `${this.#plan.what} did not finish the mini-batch within ${timeoutMs / 1_000} s (${this.#plan.timeSetting ?? 'retry_settings.timeout'})`;
        await this.#end(process);
        return { kind: 'timed-out', message };
      }
      default:
        await this.#end(process);
        throw cancelled();
    }
  }

  async #outcome(
    process: JobProcess,
    message: Record<string, unknown>,
    { items }: MiniBatch,
    names: PartNames,
  ): Promise<MiniBatchOutcome> {
    if (message['type'] === 'raised') {
      if (message['spoilt'] === true) await this.#end(process);
      return { kind: 'raised', message: String(message['message']) };
    }
    if (message['type'] === 'notWritten') throw notWritten(String(message['message']));
    const { succeeded, failed, part, errors } = message;
    if (!isCount(succeeded) || !isCount(failed) || succeeded + failed !== items || !isFile(part) || !isFile(errors)) {
      // Nothing that it says after that can be believed, either.
      await this.#end(process);
      const why = 'gave an answer that is none: scripts must not write to descriptors that they did not open';
      return { kind: 'process-lost', message: `the process of ${this.#plan.what} ${why}` };
    }
    if (part !== null || errors !== null) await syncFolder(this.#options.partsFolder).catch(refused);
    return {
      kind: 'done',
      succeeded,
      failed,
      ...(part === null ? {} : { part: { file: names.part, ...part } }),
      ...(errors === null ? {} : { errors: { file: names.errors, ...errors } }),
    };
  }

  /** The process, or why there is none. */
  async #reopen(signal: AbortSignal): Promise<JobProcess | string> {
    try {
      return await this.#open(signal);
    } catch (thrown) {
      const error = PlatformError.from(thrown);
      if (error.code === 'cancelled') throw error;
      return `${this.#plan.what} could not be started again: ${error.message}`;
    }
  }

  async #open(signal: AbortSignal): Promise<JobProcess> {
    if (signal.aborted) throw cancelled();
    const process = this.#spawn();
    process.send({ type: 'load', ...this.#plan.load });
    const limitMs = this.#options.loadTimeoutMs ?? loadTimeoutMs;
    const answer = await this.#wait(limitMs, signal);
    if (answer.kind === 'message' && answer.message['type'] === 'loaded') return process;
    await this.#end(process);
    if (answer.kind === 'aborted') throw cancelled();
    throw this.#notLoaded(answer, limitMs);
  }

  #spawn(): JobProcess {
    const { command, args, cwd, environment, memoryMib } = this.#plan;
    this.#answer = Promise.withResolvers();
    this.#heard = this.#answer.resolve;
    const process: JobProcess = new JobProcess({
      command,
      args,
      cwd,
      environment,
      memoryMib,
      out: this.#options.out,
      onMessage: (message) => this.#heard({ kind: 'message', message }),
      onEnd: (words) => {
        if (this.#process === process) this.#process = undefined;
        this.#heard({ kind: 'ended', words });
      },
    });
    this.#process = process;
    return process;
  }

  #notLoaded(answer: Exclude<Waited, { kind: 'aborted' }>, limitMs: number): PlatformError {
    const { what } = this.#plan;
    if (answer.kind === 'message') {
      const reason = String(answer.message['code']).replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_');
      return new PlatformError('failed_precondition', reason.toUpperCase(), String(answer.message['message']));
    }
    const why = answer.kind === 'late' ? `did not load within ${limitMs / 1_000} s` : `${answer.words} while it loaded`;
    // Somebody's kill -9, or the system's when memory runs out, need not come again.
    const code = answer.kind === 'ended' && answer.words.includes('SIGKILL') ? 'unavailable' : 'failed_precondition';
    return new PlatformError(code, 'PROCESS_NOT_STARTED', `the process of ${what} ${why}`);
  }

  /** What the process says next, or that it ended; or that the time is over, or `signal` aborted. */
  async #wait(timeoutMs: number, signal: AbortSignal): Promise<Waited> {
    const other = Promise.withResolvers<Waited>();
    const timer = setTimeout(() => other.resolve({ kind: 'late' }), timeoutMs);
    const abort = (): void => other.resolve({ kind: 'aborted' });
    signal.addEventListener('abort', abort, { once: true });
    const waited = await Promise.race([this.#answer.promise, other.promise]);
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
    if (waited.kind === 'message') {
      this.#answer = Promise.withResolvers();
      this.#heard = this.#answer.resolve;
    }
    return waited;
  }

  async #end(process: JobProcess): Promise<void> {
    this.#process = undefined;
    await process.stop(AbortSignal.abort());
  }

  async #forget(names: PartNames): Promise<void> {
    // What cannot be removed is in nobody's record, and goes with the parts folder.
    await removeParts(this.#options.partsFolder, names).catch(() => undefined);
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function isFile(value: unknown): value is Omit<PartFile, 'file'> | null {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const { bytes, lines, sha256 } = value as Record<string, unknown>;
  return isCount(bytes) && isCount(lines) && typeof sha256 === 'string' && /^[0-9a-f]{64}$/.test(sha256);
}

function cancelled(): PlatformError {
  return new PlatformError('cancelled', 'RUN_CANCELLED', 'the run was cancelled');
}

function notWritten(why: string): PlatformError {
  return new PlatformError('resource_exhausted', 'PARTS_NOT_WRITTEN', `what was scored could not be written: ${why}`);
}

function refused(thrown: unknown): never {
  throw notWritten(thrown instanceof Error ? thrown.message : String(thrown));
}
