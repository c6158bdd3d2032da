import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { withDescendants, startOf } from './proc.ts';

const logBytesMax = 16 * 1024;

/** A process that the benchmark started. */
export class Child {
  readonly name: string;
  readonly process: ChildProcess;
  /** The last of what it wrote, to say why it failed. */
  #log = '';

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.process = child;
    child.on('error', (error) => (this.#log += `${error.message}\n`));
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (text: Buffer) => (this.#log = (this.#log + text.toString()).slice(-logBytesMax)));
    }
  }

  static program(name: string, program: string, args: readonly string[], env: NodeJS.ProcessEnv, cwd?: string): Child {
    const options = {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'] as const,
      ...(cwd === undefined ? {} : { cwd }),
    };
    return new Child(name, spawn(program, [...args], { ...options, stdio: ['ignore', 'pipe', 'pipe'] }));
  }

  /** A module of this benchmark that talks by IPC (in a form that knows NaN) and ends when the channel closes. */
  static module(name: string, file: URL, env: NodeJS.ProcessEnv): Child {
    const options = { env: { ...process.env, ...env }, serialization: 'advanced' } as const;
    return new Child(name, fork(file, { ...options, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] }));
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  get isGone(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null || this.process.pid === undefined;
  }

  get log(): string {
    return this.#log;
  }

  /** The next message; rejects when the process ends first or the time is up. */
  async message<T>(timeoutMs: number, signal: AbortSignal): Promise<T> {
    const over = new AbortController();
    const end = AbortSignal.any([over.signal, signal, AbortSignal.timeout(timeoutMs)]);
    try {
      if (this.isGone) throw new Error(this.ended());
      return await Promise.race([
        once(this.process, 'message', { signal: end }).then(([value]) => value as T),
        once(this.process, 'exit', { signal: end }).then(() => Promise.reject(new Error(this.ended()))),
      ]);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw error instanceof Error && error.name === 'AbortError'
        ? new Error(`${this.name} did not answer within ${timeoutMs / 1_000} s`)
        : error;
    } finally {
      over.abort();
    }
  }

  /** Sends a job and resolves with `result` of its answer. */
  async ask<T>(job: unknown, timeoutMs: number, signal: AbortSignal): Promise<T> {
    const answer = this.message<{ result?: T; error?: string }>(timeoutMs, signal);
    this.process.send(job as object);
    const { result, error } = await answer;
    if (error !== undefined || result === undefined) throw new Error(`${this.name}: ${error ?? 'no result'}`);
    return result;
  }

  ended(): string {
    const how = this.process.signalCode ?? `status ${this.process.exitCode}`;
    return `${this.name} ended with ${how}${this.#log === '' ? '' : `:\n${this.#log.trimEnd()}`}`;
  }

  /** SIGTERM, then SIGKILL for it and whatever it left behind. */
  async stop(graceMs: number): Promise<void> {
    const family = withDescendants([this.pid]).map((pid) => ({ pid, start: startOf(pid) }));
    if (!this.isGone) {
      this.process.kill('SIGTERM');
      await Promise.race([once(this.process, 'exit'), delay(graceMs, undefined, { ref: false })]);
    }
    for (const { pid, start } of family) {
      if (pid > 1 && start !== undefined && startOf(pid) === start) endAtOnce(pid);
    }
    if (!this.isGone) await once(this.process, 'exit');
  }
}

function endAtOnce(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has just ended by itself.
  }
}

/** Waits until `check` is true. Rejects with what `why` says when the time is up. */
export async function until(
  check: () => Promise<boolean>,
  timeoutMs: number,
  signal: AbortSignal,
  why: () => string,
): Promise<void> {
  const endsAt = Date.now() + timeoutMs;
  while (!(await check().catch(() => false))) {
    signal.throwIfAborted();
    if (Date.now() > endsAt) throw new Error(why());
    await delay(50, undefined, { signal });
  }
}
