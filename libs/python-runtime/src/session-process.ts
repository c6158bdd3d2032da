import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import type { Duplex, Readable, Writable } from 'node:stream';
import { exitWords } from './exit-words.ts';
import { copyLines } from './script-log.ts';

const channelFd = 3;
/** Says by being open that this process lives; see mooring_worker/process.py. */
const lifelineFd = 4;
const termMs = 1_000;
/** How long what a dead process left in its pipes is waited for. */
const lastWordsMs = 1_000;
/** A process that exits closes its channel first, and its exit is heard of within this time. */
const exitNoticeMs = 1_000;

export interface SessionProcessOptions {
  command: string;
  /** The numbers of the channel, of the lifeline and of `descriptors` follow. */
  args: readonly string[];
  cwd: string;
  environment: Readonly<Record<string, string>>;
  /** Open descriptors that it has as well, from 5 on. */
  descriptors?: readonly number[];
  /** Takes what the process prints, line by line. */
  out: Writable;
  /** What comes on its channel; one that throws ends the process. */
  onBytes(bytes: Buffer): void;
  /** Once, when the process is gone and what it had sent has been read. `words` as in `exited 3`. */
  onEnd(words: string): void;
}

/**
 * One process with a channel of its own beside its standard streams. It leads a session of its own, and all of that session ends with it;
 * only a child that makes itself leader of another session escapes.
 */
export class SessionProcess {
  readonly channel: Duplex | undefined;
  /** How it ended, as soon as it has. */
  readonly exit: Promise<string>;
  readonly #child: ChildProcess;
  readonly #ended = Promise.withResolvers<void>();
  #killedBecause = '';

  constructor(options: SessionProcessOptions) {
    const { descriptors = [], out } = options;
    const numbers = [channelFd, lifelineFd, ...descriptors.map((_descriptor, index) => lifelineFd + 1 + index)];
    this.#child = spawn(options.command, [...options.args, ...numbers.map(String)], {
      cwd: options.cwd,
      env: { ...options.environment },
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe', ...descriptors],
      detached: true,
    });
    this.exit = this.#watchExit();
    // Of a process that is gone; onEnd tells.
    for (const fd of [channelFd, lifelineFd]) this.#child.stdio[fd]?.on('error', () => undefined);
    this.channel = this.#child.stdio[channelFd] as Duplex | undefined;
    const logged = [this.#child.stdout, this.#child.stderr].map((stream) => copyLines(stream as Readable, out));
    void this.#watchEnd(options, this.#readChannel(options), Promise.all(logged));
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** To the process alone. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the process and all that it started, at once. */
  kill(because = ''): void {
    this.#killedBecause ||= because;
    this.#signalGroup('SIGKILL');
  }

  /** For a process that was asked to end: insists after `politeMs`, and at once when `signal` is aborted. Resolves when it is gone. */
  async end(politeMs: number, signal: AbortSignal): Promise<void> {
    const now = (): void => this.kill();
    if (signal.aborted) now();
    signal.addEventListener('abort', now, { once: true });
    const term = setTimeout(() => this.#signalGroup('SIGTERM'), politeMs);
    const kill = setTimeout(now, politeMs + termMs);
    await this.#ended.promise;
    clearTimeout(term);
    clearTimeout(kill);
    signal.removeEventListener('abort', now);
  }

  async #readChannel({ onBytes }: SessionProcessOptions): Promise<void> {
    const { channel } = this;
    if (channel === undefined) return;
    channel.on('data', (bytes: Buffer) => {
      try {
        onBytes(bytes);
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
    void this.exit.finally(() => clearTimeout(timer));
  }

  async #watchEnd({ onEnd }: SessionProcessOptions, read: Promise<void>, logged: Promise<unknown>): Promise<void> {
    const words = await this.exit;
    // Its children are still in its group; the group's id cannot be anyone else's while they are.
    this.#signalGroup('SIGKILL');
    await within(lastWordsMs, Promise.all([read, logged]));
    for (const stream of this.#child.stdio) stream?.destroy();
    this.#ended.resolve();
    onEnd(words);
  }

  #watchExit(): Promise<string> {
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
