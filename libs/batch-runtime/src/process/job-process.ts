import { SessionProcess, type SessionProcessOptions } from '@mooring/python-runtime';
import { lastInLine } from './last-in-line.ts';
import { messageDecoder, messageLine } from './message-lines.ts';
import { watchMemory } from './resident-memory.ts';

const politeMs = 5_000;
const messageBytesMax = 64 * 2 ** 20;

export interface JobProcessOptions extends Omit<SessionProcessOptions, 'descriptors' | 'onBytes'> {
  memoryMib: number;
  onMessage(message: Record<string, unknown>): void;
}

/** One process of a job: behind all others in line, and held to its memory; see SessionProcess. */
export class JobProcess {
  readonly #process: SessionProcess;

  constructor({ memoryMib, onMessage, ...options }: JobProcessOptions) {
    const session = new SessionProcess({ ...options, onBytes: messageDecoder(messageBytesMax, onMessage) });
    this.#process = session;
    if (session.pid > 0) lastInLine(session.pid);
    const unwatch = watchMemory(session.pid, memoryMib, (mib) =>
      session.kill(`held ${Math.ceil(mib)} MiB of memory and may hold ${memoryMib} MiB (mooring.memory-mib)`),
    );
    void session.exit.then(unwatch);
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** A process that is gone gets nothing; onEnd says so. */
  send(message: object): void {
    const { channel } = this.#process;
    if (channel?.writable === true) channel.write(messageLine(message));
  }

  /** Ends the process and all that it started, at once. */
  kill(because = ''): void {
    this.#process.kill(because);
  }

  /** Asks it to end, then insists. Resolves when it is gone. */
  async stop(signal: AbortSignal): Promise<void> {
    this.send({ type: 'stop' });
    await this.#process.end(politeMs, signal);
  }
}
