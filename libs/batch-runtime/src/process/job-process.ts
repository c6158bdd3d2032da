import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { copyLines, exitWords } from '@mooring/python-runtime';
import { lastInLine } from './last-in-line.ts';
import { messageDecoder, messageLine } from './message-lines.ts';
import { watchMemory } from './resident-memory.ts';

const channelFd = 3;
/** Says by being open that this process lives; see python-runtime's mooring_worker/process.py. */
const lifelineFd = 4;
const politeMs = 5_000;
const termMs = 1_000;
/** How long what a dead process left in its pipes is waited for. */
const lastWordsMs = 1_000;
/** A process that exits closes its channel first, and its exit is heard of within this time. */
const exitNoticeMs = 1_000;
const messageBytesMax = 64 * 2 ** 20;

export interface JobProcessOptions {
  command: string;
  /** The numbers of the channel and of the lifeline follow. */
  args: readonly string[];
  cwd: string;
  environment: Readonly<Record<string, string>>;
  /** Takes what the process prints, line by line. */
  out: Writable;
  memoryMib: number;
  onMessage(message: Record<string, unknown>): void;
  /** Once, when the process is gone and what it had sent has been read. `words` as in `exited 3`. */
  onEnd(words: string): void;
}

/**
 * One process of a job, with a channel of its own beside its standard streams. It leads a session of its own, and all of that
 * session ends with it; only a child that makes itself leader of another session escapes.
 */
export class JobProcess {
  readonly #child: ChildProcess;
  readonly #channel: Duplex | undefined;
  readonly #ended = Promise.withResolvers<void>();
  readonly #exit: Promise<string>;
  readonly #unwatch: () => void;
  #killedBecause = '';

  constructor(options: JobProcessOptions) {
    this.#child = spawn(options.command, [...options.args, String(channelFd), String(lifelineFd)], {
      cwd: options.cwd,
      env: { ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    if (this.pid > 0) lastInLine(this.pid);
    this.#exit = this.#watchExit();
    for (const fd of [channelFd, lifelineFd]) this.#child.stdio[fd]?.on('error', () => undefined);
    this.#channel = this.#child.stdio[channelFd] as Duplex | undefined;
    const logged = [this.#child.stdout, this.#child.stderr].map((stream) => copyLines(stream as Readable, options.out));
    const read = this.#readChannel(options);
    this.#unwatch = watchMemory(this.#child.pid ?? 0, options.memoryMib, (mib) =>
      this.kill(`held ${Math.ceil(mib)} MiB of memory and may hold ${options.memoryMib} MiB (mooring.memory-mib)`),
    );
    void this.#watchEnd(options, read, Promise.all(logged));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** A process that is gone gets nothing; onEnd says so. */
  send(message: object): void {
    if (this.#channel?.writable === true) this.#channel.write(messageLine(message));
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
    this.send({ type: 'stop' });
    const term = setTimeout(() => this.#signalGroup('SIGTERM'), politeMs);
    const kill = setTimeout(now, politeMs + termMs);
    await this.#ended.promise;
    clearTimeout(term);
    clearTimeout(kill);
    signal.removeEventListener('abort', now);
  }

  async #readChannel(options: JobProcessOptions): Promise<void> {
    const channel = this.#channel;
    if (channel === undefined) return;
    const decode = messageDecoder(messageBytesMax, options.onMessage);
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

  async #watchEnd(options: JobProcessOptions, read: Promise<void>, logged: Promise<unknown>): Promise<void> {
    const words = await this.#exit;
    this.#unwatch();
    // Its children are still in its group; the group's id cannot be anyone else's while they are.
    this.#signalGroup('SIGKILL');
    await within(lastWordsMs, Promise.all([read, logged]));
    for (const stream of this.#child.stdio) stream?.destroy();
    this.#ended.resolve();
    options.onEnd(words);
  }

  async #watchExit(): Promise<string> {
    const { promise, resolve } = Promise.withResolvers<string>();
    this.#child.once('exit', (code, signal) => {
      // What it did by itself in the same moment tells more than why it was to be killed.
      const killed = signal === 'SIGKILL' && this.#killedBecause !== '';
      resolve(killed ? this.#killedBecause : exitWords(code, signal));
    });
    this.#child.once('error', (error) => resolve(`could not be started: ${error.message}`));
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
