import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { exitWords } from './exit-words.ts';
import type { ScoreCall } from '@mooring/scoring-stream';
import { frameDecoder, type Frame } from './frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { copyLines } from './script-log.ts';
import { SharedPage } from './shared-page.ts';

const workerMain = fileURLToPath(new URL('../python/mooring_worker/__main__.py', import.meta.url));
const channelFd = 3;
/** Says by being open that this process lives; see mooring_worker/process.py. */
const lifelineFd = 4;
/** Memory that it shares with this process; see SharedPage. */
const pageFd = 5;
const politeMs = 1_000;
const termMs = 1_000;
/** How long what a dead worker left in its pipes is waited for. */
const lastWordsMs = 1_000;
/** A process that exits closes its channel first, and its exit is heard of within this time. */
const exitNoticeMs = 1_000;

export interface WorkerOptions {
  interpreter: string;
  codeDir: string;
  environment: Readonly<Record<string, string>>;
  /** Largest body of a frame that is believed. */
  bodyBytesMax: number;
  /** Takes the script's output, line by line. */
  out: Writable;
  onFrame(frame: Frame): void;
  /** Once, when the process is gone and what it had sent has been read. `words` as in `exited 3`. */
  onEnd(words: string): void;
}

/**
 * One Python process with a channel of its own beside its standard streams. It leads a session of its own, and all of
 * that session ends with it; only a child that makes itself leader of another session escapes.
 */
export class WorkerProcess {
  readonly #child: ChildProcess;
  readonly #channel: Duplex | undefined;
  readonly #ended = Promise.withResolvers<void>();
  readonly #exit: Promise<{ words: string; killed: boolean }>;
  readonly #page = new SharedPage();
  readonly #writer = new FrameWriter();
  #flushing = false;
  #killedBecause = '';
  readonly #look = (): void => void this.#child.kill('SIGUSR2');

  constructor(options: WorkerOptions) {
    const fds = [channelFd, lifelineFd, pageFd].map(String);
    this.#child = spawn(options.interpreter, [workerMain, ...fds], {
      cwd: options.codeDir,
      env: { ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', this.#page.fd],
      detached: true,
    });
    this.#exit = this.#watchExit();
    this.#child.stdio[lifelineFd]?.on('error', () => undefined);
    this.#channel = this.#child.stdio[channelFd] as Duplex | undefined;
    const logged = [this.#child.stdout, this.#child.stderr].map((stream) => copyLines(stream as Readable, options.out));
    const read = this.#readChannel(options);
    void this.#watchEnd(options, read, Promise.all(logged));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What to load, or to end. */
  control(meta: object): void {
    this.#writer.control(meta);
    this.#flush();
  }

  /**
   * Gives it a call, which it begins when it has answered those before. Calls of one turn of the event loop go out together, except
   * one that no other will follow, which is `alone`.
   */
  call(id: number, call: ScoreCall, alone: boolean): void {
    this.#writer.call(id, call);
    if (alone) this.#flush();
    if (alone || this.#flushing) return;
    this.#flushing = true;
    // setImmediate, not a microtask: what else became readable in this turn has its calls and answers in the same write.
    setImmediate(() => this.#flush());
  }

  /**
   * Says that nobody waits for the call that runs. `now`: by an exception there; see mooring_worker/interrupts.py. The signal
   * follows when the frame that it is about has left.
   */
  cancel(id: number, now: boolean): void {
    this.#writer.cancel(id);
    this.#flush(now ? this.#look : undefined);
  }

  /** What it has done and said in no frame yet; also after its end, until `onEnd` has returned. */
  get page(): SharedPage {
    return this.#page;
  }

  /** Ends the process and all that it started, at once. */
  kill(because = ''): void {
    this.#killedBecause ||= because;
    this.#signalGroup('SIGKILL');
  }

  /** Asks it to end, then insists. Resolves when it is gone. */
  async stop(signal: AbortSignal): Promise<void> {
    const now = (): void => this.kill();
    if (signal.aborted) now();
    signal.addEventListener('abort', now, { once: true });
    this.control({ type: 'stop' });
    const term = setTimeout(() => this.#signalGroup('SIGTERM'), politeMs);
    const kill = setTimeout(now, politeMs + termMs);
    await this.#ended.promise;
    clearTimeout(term);
    clearTimeout(kill);
    signal.removeEventListener('abort', now);
  }

  #flush(sent?: () => void): void {
    this.#flushing = false;
    const channel = this.#channel;
    if (this.#writer.empty) return;
    const buffers = this.#writer.take();
    if (channel === undefined || channel.destroyed || !channel.writable) return; // it is gone, and onEnd says so
    const last = buffers.pop() as Buffer;
    if (buffers.length > 0) channel.cork();
    for (const buffer of buffers) channel.write(buffer);
    channel.write(last, sent);
    if (buffers.length > 0) channel.uncork();
  }

  async #readChannel(options: WorkerOptions): Promise<void> {
    const decode = frameDecoder(options.bodyBytesMax, options.onFrame);
    const channel = this.#channel;
    if (channel === undefined) return;
    channel.on('error', () => undefined); // a write to a worker that is gone; onEnd tells
    channel.on('data', (bytes: Buffer) => {
      try {
        decode(bytes);
      } catch (error) {
        channel.destroy();
        this.kill(`broke its channel to the platform (${error instanceof Error ? error.message : String(error)})`);
      }
    });
    const over = Promise.withResolvers<void>();
    for (const event of ['end', 'close']) channel.once(event, over.resolve);
    await over.promise;
    // One that is still there after that can never answer again.
    const timer = setTimeout(() => this.kill('closed its channel to the platform'), exitNoticeMs);
    void this.#exit.finally(() => clearTimeout(timer));
  }

  async #watchEnd(options: WorkerOptions, read: Promise<void>, logged: Promise<unknown>): Promise<void> {
    const { words, killed } = await this.#exit;
    // Its children are still in its group; the group's id cannot be anyone else's while they are.
    this.#signalGroup('SIGKILL');
    await within(lastWordsMs, Promise.all([read, logged]));
    for (const stream of this.#child.stdio) stream?.destroy();
    this.#ended.resolve();
    // What it did by itself in the same moment tells more than why it was to be killed.
    options.onEnd(killed && this.#killedBecause !== '' ? this.#killedBecause : words);
    this.#page.close();
  }

  async #watchExit(): Promise<{ words: string; killed: boolean }> {
    const { promise, resolve } = Promise.withResolvers<{ words: string; killed: boolean }>();
    this.#child.once('exit', (code, signal) => {
      resolve({ words: exitWords(code, signal), killed: signal === 'SIGKILL' });
    });
    this.#child.once('error', (error) => {
      resolve({ words: `could not be started: ${error.message}`, killed: false });
    });
    return promise;
  }

  #signalGroup(signal: NodeJS.Signals): void {
    if (this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, constants.signals[signal]);
    } catch {
      // Nobody is left in the group.
    }
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  const late = Promise.withResolvers<void>();
  const timer = setTimeout(late.resolve, ms);
  await Promise.race([work, late.promise]);
  clearTimeout(timer);
}
