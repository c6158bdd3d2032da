import type { Writable } from 'node:stream';
import { Operation } from '@mooring/contracts/scoring';
import type { InstanceSpec } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import {
  failedReply,
  ModelLoadError,
  type ModelRuntime,
  type ScoreCall,
  type ScoreReply,
} from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { CallQueue } from './call-queue.ts';
import { describeScript } from './describe-script.ts';
import type { Frame } from './frames.ts';
import { OpenCall } from './open-call.ts';
import { restartBudget, type RestartBudget } from './restart-budget.ts';
import { makeSlots, type PythonInstanceSpec } from './make-slots.ts';
import type { ScriptCard } from './swagger.ts';
import { workerReply } from './worker-reply.ts';
import type { SlotEvents, WorkerSlot } from './worker-slot.ts';

export interface PythonRuntimeOptions {
  /** Takes what the script writes, line by line. Default: this process's stdout. */
  out?: Writable;
  /** How long importing and `init` may take. Default: for ever, because the controller's probes bound it. */
  initTimeoutMs?: number;
  /** Calls that may wait, whatever admission before the runtime lets through. */
  queueMax?: number;
  /** Exits of workers in one minute after which the runtime gives up and is no longer ready. */
  exitsMax?: number;
}

const queueMaxDefault = 4_096;
const exitsMaxDefault = 10;
const retryAfterMs = 1_000;
const growthBeforeRecycling = 1.5;
const recycleMs = 10_000;

/**
 * Serves a scoring script in `workerCount` Python processes that share one queue; each has one call at a time.
 * A call that takes longer than `requestTimeoutMs` or its own deadline is answered at once and its worker is killed and
 * replaced: Python cannot interrupt native code safely. A caller who goes away leaves the queue; what already runs is
 * finished, unless the deadline passes, because replacing a worker costs an `init`.
 */
export function createPythonRuntime(spec: InstanceSpec, log: Logger, options: PythonRuntimeOptions = {}): ModelRuntime {
  if (spec.runtime.kind !== 'python') throw new TypeError(`a '${spec.runtime.kind}' runtime is not a scoring script`);
  return new PythonRuntime({ ...spec, runtime: spec.runtime }, log, options);
}

class PythonRuntime implements ModelRuntime, SlotEvents {
  readonly #spec: PythonInstanceSpec;
  readonly #log: Logger;
  readonly #queue: CallQueue;
  readonly #budget: RestartBudget;
  readonly #slots: WorkerSlot[];
  readonly #open = new Set<OpenCall>();
  readonly #respawns = new Set<NodeJS.Timeout>();
  readonly #loaded = Promise.withResolvers<void>();
  #card: ScriptCard | undefined;
  #started = false;
  #stopping = false;
  #broken = '';
  #onIdle: (() => void) | undefined;

  constructor(spec: PythonInstanceSpec, log: Logger, options: PythonRuntimeOptions) {
    this.#spec = spec;
    this.#log = log;
    this.#queue = new CallQueue(options.queueMax ?? queueMaxDefault);
    this.#budget = restartBudget(options.exitsMax ?? exitsMaxDefault);
    this.#slots = makeSlots(spec, log, options, this);
    this.#loaded.promise.catch(() => undefined); // also rejects when nobody has called start() yet
  }

  get wantsHeaders(): boolean {
    return this.#card?.wantsHeaders ?? false;
  }

  ready(): boolean {
    if (!this.#started || this.#stopping || this.#broken !== '') return false;
    return this.#slots.some((slot) => slot.state === 'idle' || slot.state === 'busy');
  }

  async start(): Promise<void> {
    for (const slot of this.#slots) slot.start();
    await this.#loaded.promise;
  }

  async score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    if (call.operation !== Operation.OPERATION_SCORE) return this.#describe(call);
    const refusal = this.#refusal();
    if (refusal !== undefined) return failedReply(refusal, false);
    const open = new OpenCall(call, this.#spec.requestSettings.requestTimeoutMs, performance.now());
    if (!this.#queue.push(open)) return failedReply(queueFull(this.#queue.length), false);
    this.#watch(open, signal);
    this.#dispatch();
    return open.reply;
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#loaded.reject(
      new ModelLoadError('OperationCanceled', 'stopped while the scoring script was being loaded', false),
    );
    if (this.#started && this.#broken === '') await this.#idle(signal);
    this.#failQueued('INSTANCE_STOPPING', 'the instance is stopping');
    for (const timer of this.#respawns) clearTimeout(timer);
    await Promise.all(this.#slots.map((slot) => slot.stop(signal)));
  }

  onLoaded(_slot: WorkerSlot, card: ScriptCard): void {
    this.#card ??= card;
    if (!this.#started && this.#slots.every((slot) => slot.state === 'idle')) {
      this.#started = true;
      this.#loaded.resolve();
    }
    this.#dispatch();
  }

  onReply(slot: WorkerSlot, open: OpenCall, frame: Frame): void {
    open.answer(workerReply(open, frame, performance.now()));
    this.#close(open);
    this.#recycleIfFat(slot, Number(frame.meta['residentKib'] ?? 0));
    this.#dispatch();
  }

  onEnd(slot: WorkerSlot, end: { words: string; expected: boolean; load: ModelLoadError | undefined }): void {
    const open = slot.open;
    slot.open = undefined;
    if (open !== undefined) {
      const message = `the scoring script's process ${end.words} while it answered`;
      open.fail(new PlatformError('unavailable', 'WORKER_EXITED', message, { retryAfterMs }));
      this.#close(open);
    }
    if (this.#stopping) this.#failQueuedWhenAlone();
    else if (!this.#started)
      this.#failStart(
        end.load ??
          new ModelLoadError(
            'DeploymentCrashLoopBackOff',
            `the scoring script's process ${end.words} before all workers were loaded`,
            false,
          ),
      );
    else this.#replace(slot, end);
  }

  #describe(call: ScoreCall): ScoreReply {
    const card = this.#card;
    try {
      if (card !== undefined) return describeScript(card, this.#spec, this.ready(), call);
      throw this.#refusal() ?? notLoaded();
    } catch (thrown) {
      return failedReply(PlatformError.from(thrown), false);
    }
  }

  /** Why no call can be taken now. */
  #refusal(): PlatformError | undefined {
    if (this.#stopping)
      return new PlatformError('unavailable', 'INSTANCE_STOPPING', 'the instance is stopping', { retryAfterMs });
    if (this.#broken !== '') return new PlatformError('unavailable', 'SCRIPT_CRASHES', this.#broken, { retryAfterMs });
    if (!this.#started)
      return new PlatformError('unavailable', 'MODEL_NOT_READY', 'the scoring script is still being loaded', {
        retryAfterMs,
      });
    return undefined;
  }

  /** Sees to it that `open` is answered by its deadline, and leaves the queue when its caller has gone. */
  #watch(open: OpenCall, signal: AbortSignal): void {
    this.#open.add(open);
    const timer = setTimeout(() => this.#tooLate(open), open.limitMs);
    const gone = (): void => {
      open.fail(new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone'));
      if (this.#queue.remove(open)) this.#close(open);
    };
    open.release = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', gone);
    };
    if (signal.aborted) gone();
    else signal.addEventListener('abort', gone, { once: true });
  }

  #tooLate(open: OpenCall): void {
    const limit = `${open.limitMs} ms`;
    const running = this.#slots.find((slot) => slot.open === open);
    const what =
      running === undefined ? `waited for a worker longer than ${limit}` : `was still being answered after ${limit}`;
    open.fail(
      new PlatformError(
        'scoring_timeout',
        'SCORING_TIMEOUT',
        `the call ${what} (request_timeout_ms or the caller's deadline)`,
      ),
    );
    if (running === undefined) {
      this.#queue.remove(open);
      this.#close(open);
    } else {
      this.#log.warn({ worker: running.name }, `run() took longer than ${limit}: its worker is replaced`);
      running.kill('was replaced');
    }
  }

  #dispatch(): void {
    for (const slot of this.#slots) {
      if (slot.state !== 'idle') continue;
      const open = this.#queue.shift();
      if (open === undefined) return;
      slot.run(open, performance.now());
    }
  }

  #close(open: OpenCall): void {
    open.release();
    this.#open.delete(open);
    if (this.#open.size === 0) this.#onIdle?.();
  }

  #recycleIfFat(slot: WorkerSlot, residentKib: number): void {
    const { settings, runtime } = this.#spec;
    if (settings.memoryMib === undefined || slot.state !== 'idle') return;
    const limitKib = (settings.memoryMib * 1024) / Math.max(1, runtime.workerCount);
    const isFirst = slot.firstKib === undefined;
    slot.firstKib ??= residentKib;
    if (residentKib <= limitKib) return;
    const held = `${slot.name} holds ${mib(residentKib)}, more than its share of ${mib(limitKib)}`;
    // A new worker would soon hold as much again: replacing helps against what grows, and costs an init.
    if (residentKib < slot.firstKib * growthBeforeRecycling) {
      if (isFirst)
        this.#log.warn({ worker: slot.name }, `${held}, from its first call on: the script needs more memory`);
      return;
    }
    this.#log.warn({ worker: slot.name }, `${held}: it is replaced`);
    void slot.stop(AbortSignal.timeout(recycleMs));
  }

  #replace(slot: WorkerSlot, end: { words: string; expected: boolean; load: ModelLoadError | undefined }): void {
    if (this.#broken !== '') return;
    const delayMs = end.expected ? 0 : this.#budget.exited(performance.now());
    const words = end.load?.message ?? `the scoring script's process ${end.words}`;
    if (delayMs === undefined) {
      this.#broken = `${words}; workers ended ${this.#budget.count()} times in the last minute`;
      this.#log.error({ worker: slot.name }, this.#broken);
      this.#failQueued('SCRIPT_CRASHES', this.#broken);
      return;
    }
    if (!end.expected) this.#log.error({ worker: slot.name }, `${words}; a new one starts in ${delayMs} ms`);
    const timer = setTimeout(() => {
      this.#respawns.delete(timer);
      slot.start();
    }, delayMs);
    this.#respawns.add(timer);
  }

  #failStart(error: ModelLoadError): void {
    this.#loaded.reject(error);
    this.#stopping = true;
    for (const slot of this.#slots)
      if (slot.state !== 'empty') slot.kill('was ended because another worker could not load');
  }

  #failQueued(reason: string, why: string): void {
    for (const open of this.#queue.takeAll()) {
      open.fail(new PlatformError('unavailable', reason, why, { retryAfterMs }));
      this.#close(open);
    }
  }

  /** While stopping nothing is replaced: without a worker, what waits can only be refused. */
  #failQueuedWhenAlone(): void {
    if (!this.#slots.some((slot) => slot.state === 'idle' || slot.state === 'busy'))
      this.#failQueued('INSTANCE_STOPPING', 'the instance is stopping');
  }

  /** Resolves when no call is open, or when `signal` aborts. */
  async #idle(signal: AbortSignal): Promise<void> {
    if (this.#open.size === 0 || signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    signal.addEventListener('abort', () => resolve(), { once: true });
    await promise;
  }
}

function queueFull(length: number): PlatformError {
  return new PlatformError('resource_exhausted', 'QUEUE_FULL', `${length} calls wait for a worker already`, {
    retryAfterMs,
  });
}

function notLoaded(): PlatformError {
  return new PlatformError('unavailable', 'MODEL_NOT_READY', 'the scoring script is still being loaded', {
    retryAfterMs,
  });
}

function mib(kib: number): string {
  return `${Math.round(kib / 1024)} MiB`;
}
