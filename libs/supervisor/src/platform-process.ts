import { spawn, type ChildProcess, type SendHandle } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { FromChild, RawConnection, ToChild } from '@mooring/runtime';

export interface LaunchOptions {
  program: string;
  args: readonly string[];
  environment: NodeJS.ProcessEnv;
  /** Sockets that it gets as descriptors 4, 5, ... */
  handles: readonly unknown[];
  logFile: string;
}

export interface Ending {
  code: number | null;
  signal: NodeJS.Signals | null;
}

/** One process of the platform, from its start to its end, and what it says. */
export class PlatformProcess {
  readonly startedAtMs = Date.now();
  /** Resolves with how it ended. */
  readonly ended: Promise<Ending>;
  #serves = false;
  readonly #child: ChildProcess;
  readonly #heard = new Map<string, PromiseWithResolvers<void>>();

  constructor(
    options: LaunchOptions,
    events: {
      ready: (facts: Readonly<Record<string, string>>) => void;
      connection: (server: string, connection: RawConnection) => void;
      failed: (error: Error) => void;
    },
  ) {
    const output = openSync(options.logFile, 'a', 0o600);
    // Its own session: a Ctrl-C in the terminal reaches the supervisor alone, which stops everything in order.
    this.#child = spawn(options.program, options.args, {
      stdio: ['ignore', output, output, 'ipc', ...(options.handles as [])],
      env: options.environment,
      detached: true,
    });
    closeSync(output);
    this.#child.on('error', events.failed);
    this.#child.on('message', (raw, connection) => {
      const message = raw as Partial<FromChild>;
      if (message.type === 'ready') {
        this.#serves = true;
        events.ready(message.facts ?? {});
      } else if (message.type === 'connection' && connection !== undefined) {
        events.connection(message.server ?? '', connection as unknown as RawConnection);
      }
      this.#word(message.type ?? '').resolve();
    });
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code, signal) => resolve({ code, signal }));
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get alive(): boolean {
    return this.#child.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** True once it has said `ready`. */
  get serves(): boolean {
    return this.#serves && this.alive;
  }

  /** Rejects when it ends before it says so, or does not say so in time. */
  async says(type: FromChild['type'], timeoutMs: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const timer = setTimeout(() => late.reject(new Error(`not ${type} within ${timeoutMs / 1_000} s`)), timeoutMs);
    const gone = this.ended.then(({ code, signal }) => {
      throw new Error(`ended with ${signal ?? `status ${code}`}`);
    });
    try {
      await Promise.race([this.#word(type).promise, gone, late.promise]);
    } finally {
      clearTimeout(timer);
    }
  }

  tell(message: ToChild): void {
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  /** The connection is its business from here on. */
  give(server: string, connection: RawConnection): void {
    const message: ToChild = { type: 'connection', server };
    const close = (): void => connection.close();
    if (this.#child.connected) this.#child.send(message, connection as unknown as SendHandle, {}, close);
    else close();
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when it is gone: by itself, or killed after `graceMs`. */
  async end(graceMs: number): Promise<void> {
    const timer = setTimeout(() => this.kill('SIGKILL'), graceMs);
    await this.ended;
    clearTimeout(timer);
  }

  #word(type: string): PromiseWithResolvers<void> {
    const known = this.#heard.get(type) ?? Promise.withResolvers<void>();
    this.#heard.set(type, known);
    return known;
  }
}
