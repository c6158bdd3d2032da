import type { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ScoreCall } from '@mooring/scoring-stream';
import { frameDecoder, type Frame } from './frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { SessionProcess } from './session-process.ts';
import { SharedPage } from './shared-page.ts';

const workerMain = fileURLToPath(new URL('../python/mooring_worker/__main__.py', import.meta.url));
const politeMs = 1_000;

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

/** One Python process that answers calls; see SessionProcess. */
export class WorkerProcess {
  readonly #process: SessionProcess;
  /** Memory that it shares with this process. */
  readonly #page = new SharedPage();
  readonly #writer = new FrameWriter();
  #flushing = false;
  readonly #look = (): void => this.#process.signal('SIGUSR2');

  constructor({ interpreter, codeDir, environment, bodyBytesMax, out, onFrame, onEnd }: WorkerOptions) {
    this.#process = new SessionProcess({
      command: interpreter,
      args: [workerMain],
      cwd: codeDir,
      environment,
      descriptors: [this.#page.fd],
      out,
      onBytes: frameDecoder(bodyBytesMax, onFrame),
      onEnd: (words) => {
        onEnd(words);
        this.#page.close();
      },
    });
  }

  get pid(): number {
    return this.#process.pid;
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
    this.#process.kill(because);
  }

  /** Asks it to end, then insists. Resolves when it is gone. */
  async stop(signal: AbortSignal): Promise<void> {
    this.control({ type: 'stop' });
    await this.#process.end(politeMs, signal);
  }

  #flush(sent?: () => void): void {
    this.#flushing = false;
    const { channel } = this.#process;
    if (this.#writer.empty) return;
    const buffers = this.#writer.take();
    if (channel === undefined || channel.destroyed || !channel.writable) return; // it is gone, and onEnd says so
    const last = buffers.pop() as Buffer;
    if (buffers.length > 0) channel.cork();
    for (const buffer of buffers) channel.write(buffer);
    channel.write(last, sent);
    if (buffers.length > 0) channel.uncork();
  }
}
