import { join } from 'node:path';
import type { Logger } from 'pino';
import { capLog, identify, type ProcessIdentity } from '@mooring/runtime';
import { HeldConnections } from './held-connections.ts';
import { PlatformProcess } from './platform-process.ts';

const backOffMinMs = 200;
const backOffMaxMs = 10_000;
/** A process that lived this long had come up well; its next restart is immediate again. */
const steadyMs = 30_000;
const logBytesMax = 32 * 2 ** 20;
const logCheckMs = 10_000;
/** Until its code is in memory; until all of it serves; until what must run alone has stopped in the one before it. */
const loadMs = 60_000;
const readyMs = 60_000;
const yieldMs = 60_000;
/** A little more than a process whose place is taken gives to each of its parts. */
const retireMs = 200_000;

export interface ChildOptions {
  name: string;
  program: string;
  args: readonly string[];
  /** Asked for at each start. `lastExit`: how the process before ended, its signal or its exit code; absent at the first. */
  environment: (lastExit: string | undefined) => NodeJS.ProcessEnv;
  /** Sockets that it gets as descriptors 4, 5, ...; asked for before the environment. */
  handles?: () => readonly unknown[];
  logsDir: string;
  log: Logger;
  /** Called whenever it serves, also after a restart. */
  onReady: (facts: Readonly<Record<string, string>>) => void;
  /** Called when a process was started or has ended. */
  onChange?: () => void;
  /** Called when one ends again before it had come up well. */
  onFailing?: () => void;
}

/** What `replace` tells of its progress and at its end. Times in ms. */
export interface Replaced {
  process: string;
  oldPid: number | undefined;
  pid: number | undefined;
  /** From the start of the new process until it served. */
  readyMs: number;
  /** How long the old one then still finished what was open. */
  drainMs: number;
}

/** A process that is started again, with growing pauses, until it is told to stop. */
export interface SupervisedChild {
  readonly name: string;
  /** Of all that run: while one replaces another there are two. */
  identities(): readonly ProcessIdentity[];
  /**
   * Starts another process on the same sockets, and lets the present one finish once that serves. When the new one does not
   * come up it is ended, and the present one goes on (or is started again, where it had stopped a part of itself).
   */
  replace(onStep: (step: string) => void): Promise<Replaced>;
  /** SIGTERM, then after `graceMs` SIGKILL. Resolves when it is gone. */
  stop(graceMs: number): Promise<void>;
}

export function superviseChild(options: ChildOptions): SupervisedChild {
  return new Child(options);
}

class Child implements SupervisedChild {
  readonly #options: ChildOptions;
  readonly #logFile: string;
  readonly #logCheck: NodeJS.Timeout;
  readonly #living = new Set<PlatformProcess>();
  readonly #held = new HeldConnections();
  #current: PlatformProcess;
  #next: PlatformProcess | undefined;
  #stopping = false;
  #failures = 0;
  #lastExit: string | undefined;
  #restart: NodeJS.Timeout | undefined;

  constructor(options: ChildOptions) {
    this.#options = options;
    this.#logFile = join(options.logsDir, `${options.name}.log`);
    this.#logCheck = setInterval(() => capLog(this.#logFile, logBytesMax), logCheckMs).unref();
    this.#current = this.#launch({});
  }

  get name(): string {
    return this.#options.name;
  }

  identities(): readonly ProcessIdentity[] {
    return [...this.#living].flatMap(({ pid }) => (pid === undefined ? [] : (identify(pid) ?? [])));
  }

  async replace(onStep: (step: string) => void): Promise<Replaced> {
    const { name } = this;
    if (this.#next !== undefined) throw new Error(`${name} is being replaced already`);
    if (this.#stopping) throw new Error(`${name} is being stopped`);
    const old = this.#current;
    const startedAt = performance.now();
    const next = (this.#next = this.#launch({ MOORING_START: 'when-told', MOORING_LAST_EXIT: undefined }));
    // It also stands for the one that was to be started after a crash.
    clearTimeout(this.#restart);
    try {
      onStep(`starting another ${name}`);
      await this.#succeed(old, next);
    } finally {
      this.#next = undefined;
    }
    const serves = performance.now();
    onStep(`the new ${name} serves; the old one finishes what is open`);
    old.tell({ type: 'retire' });
    await old.end(retireMs);
    const rounded = Math.round;
    const times = { readyMs: rounded(serves - startedAt), drainMs: rounded(performance.now() - serves) };
    return { process: name, oldPid: old.pid, pid: next.pid, ...times };
  }

  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    clearTimeout(this.#restart);
    clearInterval(this.#logCheck);
    this.#held.close();
    const living = [...this.#living];
    for (const one of living) one.kill('SIGTERM');
    await Promise.all(living.map((one) => one.end(graceMs)));
  }

  /** Until `next` serves in place of `old`. */
  async #succeed(old: PlatformProcess, next: PlatformProcess): Promise<void> {
    let yielded = false;
    try {
      await next.says('loaded', loadMs);
      // One that is still starting does not hear a word, and one that died meanwhile is out of the way as well.
      if (await saysWhileAlive(old, 'ready', readyMs)) {
        old.tell({ type: 'yield' });
        yielded = true;
        await saysWhileAlive(old, 'yielded', yieldMs);
      }
      next.tell({ type: 'start' });
      await next.says('ready', readyMs);
    } catch (error) {
      next.kill('SIGKILL');
      this.#next = undefined;
      if (yielded && old.alive) old.kill('SIGTERM');
      else if (!old.alive) this.#startAgain(0);
      const why = error instanceof Error ? error.message : String(error);
      throw new Error(`the new ${this.name} did not come up: ${why}; its log is ${this.#logFile}`, { cause: error });
    }
    this.#current = next;
    this.#held.release(next);
  }

  #launch(more: NodeJS.ProcessEnv): PlatformProcess {
    const { program, args, environment, log, name } = this.#options;
    const handles = this.#options.handles?.() ?? [];
    const one: PlatformProcess = new PlatformProcess(
      { program, args, environment: { ...environment(this.#lastExit), ...more }, handles, logFile: this.#logFile },
      {
        ready: (facts) => {
          this.#options.onReady(facts);
          if (one === this.#current) this.#held.release(one);
        },
        connection: (server, connection) => {
          if (this.#stopping) connection.close();
          else this.#held.take(server, connection, one === this.#current ? undefined : this.#current);
        },
        failed: (error) => log.error({ err: error, child: name }, 'cannot be started'),
      },
    );
    this.#living.add(one);
    void one.ended.then(({ code, signal }) => this.#ended(one, signal ?? String(code)));
    return one;
  }

  #ended(one: PlatformProcess, how: string): void {
    this.#living.delete(one);
    this.#options.onChange?.();
    // One that is about to be replaced needs no other; `replace` sees to it.
    if (this.#stopping || one !== this.#current || this.#next !== undefined) return;
    this.#lastExit = how;
    this.#failures = Date.now() - one.startedAtMs > steadyMs ? 1 : this.#failures + 1;
    const delayMs = Math.min(backOffMinMs * 2 ** (this.#failures - 1), backOffMaxMs);
    const { log, name } = this.#options;
    const told = { child: name, how, failures: this.#failures, delayMs, logFile: this.#logFile };
    log.error(told, 'a process ended; starting it again');
    if (this.#failures > 1) this.#options.onFailing?.();
    this.#startAgain(delayMs);
  }

  #startAgain(delayMs: number): void {
    if (this.#stopping) return;
    clearTimeout(this.#restart);
    this.#restart = setTimeout(() => {
      try {
        this.#current = this.#launch({});
      } catch (error) {
        const { log, name } = this.#options;
        log.error({ err: error, child: name }, 'a process could not be started; trying again');
        this.#startAgain(backOffMaxMs);
      }
    }, delayMs);
  }
}

/** False when it is dead before it says so. Rejects when it lives on and does not say so in time. */
async function saysWhileAlive(one: PlatformProcess, word: 'ready' | 'yielded', timeoutMs: number): Promise<boolean> {
  if (!one.alive) return false;
  try {
    await one.says(word, timeoutMs);
    return true;
  } catch (error) {
    if (one.alive) throw error;
    return false;
  }
}
