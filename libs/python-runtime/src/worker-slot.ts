import type { Logger } from 'pino';
import { ModelLoadError } from '@mooring/scoring-stream';
import { frameDecoder, frameKind, type Frame } from './frames.ts';
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

export interface SlotEnd {
  words: string;
  /** It was ended on purpose. */
  expected: boolean;
  /** Set when it had not loaded. */
  load: ModelLoadError | undefined;
  /** Calls without an answer: that it had begun, and that another worker may have. */
  begun: OpenCall[];
  waiting: OpenCall[];
}

export interface SlotEvents {
  onLoaded(slot: WorkerSlot, card: ScriptCard): void;
  onReply(slot: WorkerSlot, open: OpenCall, frame: Frame): void;
  /** No worker has these calls any more: they were taken back before they began. */
  onDropped(calls: readonly OpenCall[]): void;
  /** The worker is gone. */
  onEnd(slot: WorkerSlot, end: SlotEnd): void;
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
  /** False when a call that runs cannot be stopped. */
  #interruptible = false;
  readonly #options: SlotOptions;
  readonly #events: SlotEvents;
  #worker: WorkerProcess | undefined;
  #stage = 'import';
  #loadFailure: ModelLoadError | undefined;
  #loadTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  /** Answers taken by `catchUp` that are still to be sent. */
  readonly #taken = new Set<number>();
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
    this.#nextId = 1;
    this.#startedMs = performance.now();
    this.#worker = this.#options.spawn({ onFrame: (frame) => this.#frame(frame), onEnd: (words) => this.#end(words) });
    this.#worker.control(this.#options.loadSpec);
    if (initTimeoutMs !== undefined)
      this.#loadTimer = setTimeout(() => this.#loadTooLong(initTimeoutMs), initTimeoutMs);
  }

  /** Gives the worker a call: to begin at once when it is idle, behind those that it has otherwise. `alone`: it gets no further one meanwhile. */
  give(open: OpenCall, nowMs: number, alone: boolean): void {
    if (this.calls.length === 0) open.startedMs = nowMs;
    this.calls.push(open);
    open.slot = this;
    open.waitedInWorker = this.calls.length > 1;
    open.frameId = this.#nextId;
    this.#nextId = (this.#nextId + 1) >>> 0;
    this.state = 'busy';
    this.#worker?.call(open.frameId, open.call, alone);
  }

  /**
   * Nobody waits for a call: one behind others is taken back. The first is ended where it runs, and its answer follows soon, unless
   * native code or the script itself holds on to it.
   */
  cancel(open: OpenCall): void {
    if (open === this.calls[0]) this.catchUp();
    else this.recall();
    if (this.state === 'busy' && open.slot === this) this.#worker?.cancel(open.frameId, this.#interruptible);
  }

  /** Takes the answers that the worker has ready and holds back for those of short calls: what runs now is none. */
  catchUp(): void {
    const unsent = this.#worker?.page.unsent();
    if (unsent === undefined || unsent.length === 0) return;
    frameDecoder(unsent.length, (frame) => {
      if (frame.id !== this.calls[0]?.frameId) return; // was sent meanwhile
      this.#taken.add(frame.id);
      // The next one is as late as this: nothing more is given to a worker that is held up.
      this.#reply(frame, this.calls[0].startedMs);
    })(unsent);
  }

  /** Takes back what has not begun: `onDropped` tells. Whatever the worker does now, it will not begin it. */
  recall(): void {
    const page = this.#worker?.page;
    if (page === undefined || this.state !== 'busy') return;
    this.catchUp();
    const begunId = page.begunId();
    if (begunId === undefined) return;
    // From the first that has not begun, whether it was taken back before or not, to the last that was sent.
    const firstId = (begunId + 1) >>> 0;
    if (!page.recall(firstId, (this.#nextId - firstId) >>> 0)) return;
    const begun = page.begunId();
    if (begun === undefined) {
      this.kill('cannot be asked what it has begun');
      return;
    }
    // Ids go round: what is less than half of them ahead has not begun.
    const back = this.calls.filter(({ frameId }) => (frameId - begun - 1) >>> 0 < 2 ** 31);
    this.#takenBack(back);
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
    this.#interruptible = said['interruptible'] === true;
    if (this.state !== 'loading') return; // it is being ended
    this.state = 'idle';
    this.#options.log.info({ worker: this.#options.index, pid: this.#worker?.pid }, 'scoring script loaded');
    this.#events.onLoaded(this, said as unknown as ScriptCard);
  }

  #reply(frame: Frame, nextStartedMs = performance.now()): void {
    const [open] = this.calls;
    if (frame.id !== open?.frameId && this.#taken.delete(frame.id)) return;
    if (open === undefined || frame.id !== open.frameId) throw new RangeError('an answer that nobody asked for');
    this.#leaves(0, nextStartedMs);
    this.#events.onReply(this, open, frame);
  }

  /** It saw in the last moment that the call was taken back; if not even its begin was seen here, that has been done. */
  #dropped(id: number): void {
    this.#takenBack(this.calls.filter(({ frameId }) => frameId === id));
  }

  #takenBack(back: OpenCall[]): void {
    if (back.length === 0) return;
    for (const open of back) {
      this.#leaves(this.calls.indexOf(open), performance.now());
      open.startedMs = undefined;
    }
    this.#events.onDropped(back);
  }

  #leaves(at: number, nextStartedMs: number): void {
    const [open] = this.calls.splice(at, 1);
    if (open !== undefined) open.slot = undefined;
    const [first] = this.calls;
    if (first !== undefined) first.startedMs ??= nextStartedMs;
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
    const load = this.#stage === 'loaded' ? undefined : this.#loadError(words);
    this.catchUp();
    const calls = this.#endCalls();
    this.state = 'empty';
    this.#worker = undefined;
    this.#events.onEnd(this, { words, expected, load, ...calls });
  }

  #endCalls(): { begun: OpenCall[]; waiting: OpenCall[] } {
    const begunId = this.#worker?.page.begunId();
    const calls = this.calls.splice(0);
    this.#taken.clear();
    for (const open of calls) open.slot = undefined;
    const begun = begunId === undefined ? calls.length : calls.findIndex(({ frameId }) => frameId === begunId) + 1;
    for (const open of calls.slice(0, begun)) open.startedMs ??= performance.now();
    for (const open of calls.slice(begun)) open.startedMs = undefined;
    return { begun: calls.slice(0, begun), waiting: calls.slice(begun) };
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
