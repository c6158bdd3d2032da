import type { Logger } from 'pino';
import { ModelLoadError } from '@mooring/scoring-stream';
import type { Frame } from './frames.ts';
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
  /** The worker is gone. `expected`: it was ended on purpose. `load` is set when it had not loaded. */
  onEnd(slot: WorkerSlot, end: { words: string; expected: boolean; load: ModelLoadError | undefined }): void;
}

/** One of a deployment's WORKER_COUNT places: holds at most one worker, which has at most one call. */
export class WorkerSlot {
  state: SlotState = 'empty';
  open: OpenCall | undefined;
  /** Resident memory after its worker's first answer: what the script needs in any case. */
  firstKib: number | undefined;
  readonly #options: SlotOptions;
  readonly #events: SlotEvents;
  #worker: WorkerProcess | undefined;
  #stage = 'import';
  #loadFailure: ModelLoadError | undefined;
  #loadTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #interruptible = false;
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
    this.#worker.send(this.#options.loadSpec, Buffer.alloc(0));
    if (initTimeoutMs !== undefined)
      this.#loadTimer = setTimeout(() => this.#loadTooLong(initTimeoutMs), initTimeoutMs);
  }

  run(open: OpenCall, nowMs: number): void {
    const { call } = open;
    open.startedMs = nowMs;
    this.open = open;
    this.state = 'busy';
    const headers = call.headers.map(({ name, value }) => [name, value]);
    this.#worker?.send(
      {
        type: 'call',
        id: this.#nextId,
        method: call.method || 'POST',
        query: call.query,
        contentType: call.contentType,
        headers,
      },
      call.body,
    );
  }

  /** Asks the worker to drop its call: it answers soon, unless native code or the script itself holds on to it. */
  interrupt(): void {
    if (this.#interruptible && this.state === 'busy') this.#worker?.interrupt();
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
    switch (frame.meta['type']) {
      case 'stage':
        this.#stage = String(frame.meta['stage']);
        break;
      case 'loaded':
        this.#loaded(frame);
        break;
      case 'loadFailed':
        this.#loadFailure = new ModelLoadError(String(frame.meta['code']), String(frame.meta['message']), true);
        break;
      case 'reply':
        this.#reply(frame);
        break;
      default:
        throw new RangeError(`a frame of type '${String(frame.meta['type'])}'`);
    }
  }

  #loaded(frame: Frame): void {
    clearTimeout(this.#loadTimer);
    this.#stage = 'loaded';
    this.loadMs = performance.now() - this.#startedMs;
    this.#interruptible = frame.meta['interruptible'] === true;
    if (this.state !== 'loading') return; // it is being ended
    this.state = 'idle';
    this.#options.log.info({ worker: this.#options.index, pid: this.#worker?.pid }, 'scoring script loaded');
    this.#events.onLoaded(this, frame.meta as unknown as ScriptCard);
  }

  #reply(frame: Frame): void {
    const open = this.open;
    if (open === undefined || frame.meta['id'] !== this.#nextId)
      throw new RangeError('an answer that nobody asked for');
    this.#nextId++;
    this.open = undefined;
    if (this.state === 'busy') this.state = 'idle';
    this.#events.onReply(this, open, frame);
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
