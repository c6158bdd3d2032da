import type { Writable } from 'node:stream';
import { Operation } from '@mooring/contracts/scoring';
import type { InstanceSpec } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { retryAfterOf } from '@mooring/overload';
import {
  failedReply,
  ModelLoadError,
  type Capacity,
  type ModelRuntime,
  type ScoreCall,
  type ScoreReply,
} from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { CallDesk } from './call-desk.ts';
import { describeScript } from './describe-script.ts';
import { Dispatcher } from './dispatcher.ts';
import type { Frame } from './frames.ts';
import type { OpenCall } from './open-call.ts';
import * as refusals from './refusals.ts';
import { restartBudget, type RestartBudget } from './restart-budget.ts';
import { makeSlots, type PythonInstanceSpec } from './make-slots.ts';
import type { ScriptCard } from './swagger.ts';
import { workerReply, workUs } from './worker-reply.ts';
import type { SlotEnd, SlotEvents, WorkerSlot } from './worker-slot.ts';

export interface PythonRuntimeOptions {
  /** Takes what the script writes, line by line. Default: this process's stdout. */
  out?: Writable;
  /** How long importing and `init` may take. Default: for ever, because the controller's probes bound it. */
  initTimeoutMs?: number;
  /** Calls that may wait, whatever admission before the runtime lets through. */
  queueMax?: number;
  /** Exits of workers in one minute after which the runtime gives up and is no longer ready. */
  exitsMax?: number;
  /** How long a worker whose call was interrupted may go on with it before it is ended. */
  interruptGraceMs?: number;
}

const queueMaxDefault = 4_096;
const exitsMaxDefault = 10;
const interruptGraceMsDefault = 500;
const growthBeforeRecycling = 1.5;
const recycleMs = 10_000;

/**
 * Serves a scoring script in `workerCount` Python processes that share one queue; each has one call at a time.
 * A call that takes longer than `requestTimeoutMs` or its own deadline, or whose caller has gone, leaves the queue at once;
 * one that runs is interrupted by an exception in `run`. A worker that goes on all the same (native code cannot be
 * interrupted) is ended and replaced: after the deadline soon, before it only when it has gone on for as long as replacing it
 * would take.
 */
export function createPythonRuntime(spec: InstanceSpec, log: Logger, options: PythonRuntimeOptions = {}): ModelRuntime {
  if (spec.runtime.kind !== 'python') throw new TypeError(`a '${spec.runtime.kind}' runtime is not a scoring script`);
  return new PythonRuntime({ ...spec, runtime: spec.runtime }, log, options);
}

class PythonRuntime implements ModelRuntime, SlotEvents {
  readonly #spec: PythonInstanceSpec;
  readonly #log: Logger;
  readonly #budget: RestartBudget;
  readonly #slots: WorkerSlot[];
  readonly #desk: CallDesk;
  readonly #dispatcher: Dispatcher;
  readonly #respawns = new Set<NodeJS.Timeout>();
  readonly #loaded = Promise.withResolvers<void>();
  #card: ScriptCard | undefined;
  #started = false;
  #stopping = false;
  #broken = '';

  constructor(spec: PythonInstanceSpec, log: Logger, options: PythonRuntimeOptions) {
    this.#spec = spec;
    this.#log = log;
    this.#budget = restartBudget(options.exitsMax ?? exitsMaxDefault);
    this.#slots = makeSlots(spec, log, options, this);
    this.#desk = new CallDesk({
      queueMax: options.queueMax ?? queueMaxDefault,
      workers: this.#slots.length,
      requestTimeoutMs: spec.requestSettings.requestTimeoutMs,
      graceMs: options.interruptGraceMs ?? interruptGraceMsDefault,
      log,
    });
    // A worker is looked at for its memory when it is idle, which one with calls ahead hardly ever is.
    this.#dispatcher = new Dispatcher(this.#slots, this.#desk, spec.settings.memoryMib === undefined);
    this.#loaded.promise.catch(() => undefined); // also rejects when nobody has called start() yet
  }

  get wantsHeaders(): boolean {
    return this.#card?.wantsHeaders ?? false;
  }

  capacity(): Capacity {
    // What waits here waits unread, and several short calls go to a worker at once.
    return { parallel: this.#slots.length, useful: Number.POSITIVE_INFINITY };
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
    const open = this.#desk.take(call, signal);
    if (open instanceof PlatformError) return failedReply(open, false);
    this.#dispatcher.dispatch();
    return open.reply;
  }

  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#loaded.reject(
      new ModelLoadError('OperationCanceled', 'stopped while the scoring script was being loaded', false),
    );
    if (this.#started && this.#broken === '') await this.#desk.idle(signal);
    this.#desk.failQueued(refusals.stopping());
    for (const timer of this.#respawns) clearTimeout(timer);
    this.#dispatcher.stop();
    await Promise.all(this.#slots.map((slot) => slot.stop(signal)));
  }

  onLoaded(_slot: WorkerSlot, card: ScriptCard): void {
    this.#card ??= card;
    if (!this.#started && this.#slots.every((slot) => slot.state === 'idle')) {
      this.#started = true;
      this.#loaded.resolve();
    }
    this.#dispatcher.dispatch();
  }

  onReply(slot: WorkerSlot, open: OpenCall, frame: Frame): void {
    const nowMs = performance.now();
    if (open.abandoned !== undefined) open.failAbandoned(open.abandoned, nowMs);
    else {
      this.#desk.noteRun(Math.max(nowMs - (open.startedMs ?? nowMs), workUs(frame) / 1000));
      open.answer(workerReply(open, frame, nowMs));
    }
    this.#dispatcher.noteRun(workUs(frame));
    this.#desk.close(open);
    this.#recycleIfFat(slot, frame.residentKib);
    this.#dispatcher.dispatch();
  }

  onDropped(calls: readonly OpenCall[]): void {
    for (const open of calls) this.#desk.putBack(open);
    this.#dispatcher.dispatch();
  }

  onEnd(slot: WorkerSlot, end: SlotEnd): void {
    for (const open of end.waiting) this.#desk.putBack(open);
    for (const open of end.begun) {
      if (open.abandoned !== undefined) open.failAbandoned(open.abandoned, performance.now());
      else open.fail(refusals.exited(end.words, Math.max(this.#desk.retryAfterMs(), retryAfterOf(slot.loadMs))));
      this.#desk.close(open);
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
    this.#dispatcher.dispatch();
  }

  #describe(call: ScoreCall): ScoreReply {
    const card = this.#card;
    try {
      if (card !== undefined) return describeScript(card, this.#spec, this.ready(), call);
      throw this.#refusal() ?? refusals.notLoaded();
    } catch (thrown) {
      return failedReply(PlatformError.from(thrown), false);
    }
  }

  /** Why no call can be taken now. */
  #refusal(): PlatformError | undefined {
    if (this.#stopping) return refusals.stopping();
    if (this.#broken !== '') return refusals.crashes(this.#broken);
    return this.#started ? undefined : refusals.notLoaded();
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

  #replace(slot: WorkerSlot, end: SlotEnd): void {
    if (this.#broken !== '') {
      this.#desk.failQueued(refusals.crashes(this.#broken));
      return;
    }
    const delayMs = end.expected ? 0 : this.#budget.exited(performance.now());
    const words = end.load?.message ?? `the scoring script's process ${end.words}`;
    if (delayMs === undefined) {
      this.#broken = `${words}; workers ended ${this.#budget.count()} times in the last minute`;
      this.#log.error({ worker: slot.name }, this.#broken);
      this.#desk.failQueued(refusals.crashes(this.#broken));
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

  /** While stopping nothing is replaced: without a worker, what waits can only be refused. */
  #failQueuedWhenAlone(): void {
    if (!this.#slots.some((slot) => slot.state === 'idle' || slot.state === 'busy'))
      this.#desk.failQueued(refusals.stopping());
  }
}

function mib(kib: number): string {
  return `${Math.round(kib / 1024)} MiB`;
}
