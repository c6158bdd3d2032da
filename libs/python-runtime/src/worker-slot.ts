import type { Logger } from 'pino';
import { ModelLoadError } from '@mooring/scoring-stream';
import { frameKind, type Frame } from './frames.ts';
import type { OpenCall } from './open-call.ts';
import type { ScriptCard } from './swagger.ts';
import type { WorkerOptions, WorkerProcess } from './worker-process.ts';

export type SlotState = 'empty' | 'loading' | 'idle' | 'busy' | 'ending';

export interface SlotOptions {
  index: number;
  log: Logger;
  /** First frame to a worker: what to load and its limits. */
  loadSpec: object;
  /** How long `init` may take; undefined = for ever. */
  initTimeoutMs: number | undefined;
  spawn(options: Pick<WorkerOptions, 'onFrame' | 'onEnd'>): WorkerProcess;
}

export interface SlotEvents {
  onLoaded(slot: WorkerSlot, card: ScriptCard): void;
  onReply(slot: WorkerSlot, open: OpenCall, frame: Frame): void;
  /** The worker will not begin this call any more: it was called back in time. */
  onDropped(slot: WorkerSlot, open: OpenCall): void;
  /** The worker is gone. `expected`: it was ended on purpose. `load` is set when it had not loaded. */
  onEnd(slot: WorkerSlot, end: { words: string; expected: boolean; load: ModelLoadError | undefined }): void;
}

/**
 * One of a deployment's WORKER_COUNT places: holds at most one worker, which runs at most one call. Further ones may be with it
 * already: it begins them in order, each when it has answered the one before, so what has begun is always known.
 */
export class WorkerSlot {
  state: SlotState = 'empty';
  /** With the worker, in order: the first runs. */
  readonly calls: OpenCall[] = [];
  /** Resident memory after its worker's first answer: what the script needs in any case. */
  firstKib: number | undefined;
  /** False when a call that runs cannot be stopped, nor one behind it called back. */
  interruptible = false;
  readonly #options: SlotOptions;
  readonly #events: SlotEvents;
  #worker: WorkerProcess | undefined;
  #stage = 'import';
  #loadFailure: ModelLoadError | undefined;
  #loadTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #startedMs = 0;
  /** What its present worker took to load: the price of replacing it. */
  loadMs = 0;

  constructor(options: SlotOptions, events: SlotEvents) {
    this.#options = options;
    this.#events = events;
  }

  get name(): string {
    return `worker ${this.#options.index}`;
  }

  start(): void {
    const { initTimeoutMs } = this.#options;
    this.state = 'loading';
    this.#stage = 'import';
    this.#loadFailure = undefined;
    this.firstKib = undefined;
    this.#startedMs = performance.now();
    this.#worker = this.#options.spawn({ onFrame: (frame) => this.#frame(frame), onEnd: (words) => this.#end(words) });
    this.#worker.control(this.#options.loadSpec);
    if (initTimeoutMs !== undefined)
      this.#loadTimer = setTimeout(() => this.#loadTooLong(initTimeoutMs), initTimeoutMs);
  }

  /** Gives the worker a call: to begin at once when it is idle, behind those that it has otherwise. */
  give(open: OpenCall, nowMs: number): void {
    if (this.calls.length === 0) open.startedMs = nowMs;
    this.calls.push(open);
    open.slot = this;
    open.recalled = false;
    open.waitedInWorker = this.calls.length > 1;
    open.frameId = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    this.state = 'busy';
    this.#worker?.call(open.frameId, open.call);
  }

  /**
   * Asks the worker to drop a call: an answer or `onDropped` follows soon, unless native code or the script itself holds on to
   * the one that runs.
   */
  cancel(open: OpenCall): void {
    if (this.state === 'busy') this.#worker?.cancel(open.frameId, this.interruptible);
  }

  /** Those of a worker that is gone; only the first had begun. */
  takeCalls(): OpenCall[] {
    const calls = this.calls.splice(0);
    for (const open of calls) open.slot = undefined;
    return calls;
  }

  /** Asks for the calls behind the one that runs: `onDropped` follows for each that has not begun by then. */
  recall(): void {
    const behind = this.calls.slice(1).filter(({ recalled }) => !recalled);
    for (const open of behind) open.recalled = true;
    if (this.state === 'busy' && behind.length > 0) this.#worker?.recall(behind.map(({ frameId }) => frameId));
  }

  /** Ends the worker at once, with all its processes; `onEnd` follows. */
  kill(because: string): void {
    this.state = 'ending';
    this.#worker?.kill(because);
  }

  /** Lets the worker end by itself where it can. */
  async stop(signal: AbortSignal): Promise<void> {
    clearTimeout(this.#loadTimer);
    if (this.#worker === undefined) return;
    this.state = 'ending';
    // A script that is importing or in `init` does not listen.
    if (this.#stage !== 'loaded') this.#worker.kill();
    await this.#worker.stop(signal);
  }

  #frame(frame: Frame): void {
    if (frame.kind === frameKind.reply) this.#reply(frame);
    else if (frame.kind === frameKind.dropped) this.#dropped(frame.id);
    else this.#control(JSON.parse(frame.meta.toString()) as Record<string, unknown>);
  }

  #control(said: Record<string, unknown>): void {
    switch (said['type']) {
      case 'stage':
        this.#stage = String(said['stage']);
        break;
      case 'loaded':
        this.#loaded(said);
        break;
      case 'loadFailed':
        this.#loadFailure = new ModelLoadError(String(said['code']), String(said['message']), true);
        break;
      default:
        throw new RangeError(`a frame of type '${String(said['type'])}'`);
    }
  }

  #loaded(said: Record<string, unknown>): void {
    clearTimeout(this.#loadTimer);
    this.#stage = 'loaded';
    this.loadMs = performance.now() - this.#startedMs;
    this.interruptible = said['interruptible'] === true;
    if (this.state !== 'loading') return; // it is being ended
    this.state = 'idle';
    this.#options.log.info({ worker: this.#options.index, pid: this.#worker?.pid }, 'scoring script loaded');
    this.#events.onLoaded(this, said as unknown as ScriptCard);
  }

  #reply(frame: Frame): void {
    const [open] = this.calls;
    if (open === undefined || frame.id !== open.frameId) throw new RangeError('an answer that nobody asked for');
    this.#leaves(0);
    this.#events.onReply(this, open, frame);
  }

  #dropped(id: number): void {
    const at = this.calls.findIndex(({ frameId }) => frameId === id);
    const open = this.calls[at];
    // The first has begun, as far as the worker has said.
    if (open === undefined || at === 0) throw new RangeError('it dropped a call that it has not got');
    this.#leaves(at);
    this.#events.onDropped(this, open);
  }

  #leaves(at: number): void {
    const [open] = this.calls.splice(at, 1);
    if (open !== undefined) open.slot = undefined;
    const [first] = this.calls;
    if (first !== undefined) first.startedMs ??= performance.now();
    else if (this.state === 'busy') this.state = 'idle';
  }

  #loadTooLong(limitMs: number): void {
    const message = `${this.#stage === 'init' ? 'init()' : 'importing the scoring script'} took longer than ${limitMs} ms`;
    this.#loadFailure = new ModelLoadError('UserScriptInitFailed', message, false);
    this.#worker?.kill(message);
  }

  #end(words: string): void {
    clearTimeout(this.#loadTimer);
    const expected = this.state === 'ending';
    this.state = 'empty';
    this.#worker = undefined;
    this.#events.onEnd(this, { words, expected, load: this.#stage === 'loaded' ? undefined : this.#loadError(words) });
  }

  #loadError(words: string): ModelLoadError {
    if (this.#loadFailure !== undefined) return this.#loadFailure;
    if (words.startsWith('could not be started')) {
      return new ModelLoadError(
        'ImageBuildFailure',
        `the Python interpreter ${words}; build the environment again`,
        false,
      );
    }
    const where = this.#stage === 'init' ? 'in init()' : 'while it was imported';
    return new ModelLoadError('DeploymentCrashLoopBackOff', `the scoring script's process ${words} ${where}`, false);
  }
}
