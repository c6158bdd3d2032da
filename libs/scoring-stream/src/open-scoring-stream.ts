import { PlatformError } from '@mooring/errors';
import type { Abandoned, Hello } from '@mooring/contracts/scoring';
import type { Logger } from 'pino';
import { ClientStream, scoringChannel, type ScoringChannel } from './client-stream.ts';
import { bodyBytesMax } from './method.ts';
import { OpenCalls } from './open-calls.ts';
import { failedReply, type ScoreCall, type ScoreReply, type ScoringPort } from './port.ts';

/** `connecting` covers waiting between two attempts. `draining`: the peer takes nothing new but finishes what is open. */
export type ScoringStreamState = 'connecting' | 'ready' | 'draining' | 'closed';

export interface ScoringStream extends ScoringPort {
  /** True while the peer takes calls. */
  ready(): boolean;
  readonly state: ScoringStreamState;
  /** Calls without an answer. */
  readonly openCalls: number;
  /** Calls that may be open; 0 while not connected. */
  readonly credits: number;
  /** What the peer said of itself; undefined before the first connection. */
  readonly hello: Hello | undefined;
  /** Calls `listener` after each change of state; returns how to stop that. */
  onStateChange(listener: (state: ScoringStreamState) => void): () => void;
  /** Resolves when the peer takes calls; rejects when `signal` aborts or the stream is closed. */
  whenReady(signal: AbortSignal): Promise<void>;
  /** Takes nothing new, waits for open calls until `signal` aborts, then lets go. */
  close(signal: AbortSignal): Promise<void>;
}

export interface OpenScoringStreamOptions {
  /** `unix:/path` or `host:port`. */
  address: string;
  log: Logger;
  backoffMinMs?: number;
  backoffMaxMs?: number;
  random?: () => number;
  /** Told what calls came to that their callers gave up. */
  onAbandoned?: (sum: Abandoned) => void;
}

/** Opens the client's side of a scoring stream. It connects, and connects again, by itself until it is closed. */
export function openScoringStream(options: OpenScoringStreamOptions): ScoringStream {
  return new ReconnectingStream(options);
}

class ReconnectingStream implements ScoringStream {
  readonly #options: Required<OpenScoringStreamOptions>;
  readonly #calls: OpenCalls;
  readonly #listeners = new Set<(state: ScoringStreamState) => void>();
  readonly #channel: ScoringChannel;
  #state: ScoringStreamState = 'connecting';
  #stream: ClientStream | undefined;
  #hello: Hello | undefined;
  #credits = 0;
  #backoffMs: number;
  #retryTimer: NodeJS.Timeout | undefined;
  #closing = false;

  constructor(options: OpenScoringStreamOptions) {
    this.#options = {
      backoffMinMs: 25,
      backoffMaxMs: 1_000,
      random: Math.random,
      onAbandoned: () => undefined,
      ...options,
    };
    this.#backoffMs = this.#options.backoffMinMs;
    this.#calls = new OpenCalls(() => this.#callsChanged(), this.#options.onAbandoned);
    this.#channel = scoringChannel(options.address);
    this.#connect();
  }

  get state(): ScoringStreamState {
    return this.#state;
  }
  get openCalls(): number {
    return this.#calls.size;
  }
  get credits(): number {
    return this.#credits;
  }
  get hello(): Hello | undefined {
    return this.#hello;
  }

  ready(): boolean {
    return this.#state === 'ready' && !this.#closing;
  }

  score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    const refusal = this.#refusal(call, signal);
    return refusal === undefined ? this.#calls.add(call, signal) : Promise.resolve(failedReply(refusal, false));
  }

  onStateChange(listener: (state: ScoringStreamState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  whenReady(signal: AbortSignal): Promise<void> {
    if (this.ready()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        if (!this.ready() && !signal.aborted && this.#state !== 'closed') return;
        unsubscribe();
        signal.removeEventListener('abort', settle);
        if (this.ready()) resolve();
        else
          reject(
            new PlatformError('unavailable', 'INSTANCE_NOT_CONNECTED', `no scoring stream to ${this.#options.address}`),
          );
      };
      const unsubscribe = this.onStateChange(settle);
      signal.addEventListener('abort', settle, { once: true });
      settle();
    });
  }

  async close(signal: AbortSignal): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#retryTimer);
    if (this.#calls.size > 0 && !signal.aborted) {
      const idle = Promise.withResolvers<void>();
      this.#onIdle = idle.resolve;
      signal.addEventListener('abort', () => idle.resolve(), { once: true });
      await idle.promise;
    }
    this.#setState('closed');
    this.#stream?.abandon();
    this.#stream = undefined;
    this.#calls.failAll(new PlatformError('unavailable', 'STREAM_CLOSED', 'the scoring stream was closed'));
    this.#channel.close();
    this.#listeners.clear();
  }

  #onIdle: (() => void) | undefined;

  #refusal(call: ScoreCall, signal: AbortSignal): PlatformError | undefined {
    const { address } = this.#options;
    if (signal.aborted) return new PlatformError('cancelled', 'CALLER_GONE', 'the caller is gone');
    if (!this.ready()) {
      const draining = this.#state === 'draining';
      const reason = draining ? 'INSTANCE_DRAINING' : 'INSTANCE_NOT_CONNECTED';
      const message = draining ? 'the instance is being stopped' : `no scoring stream to ${address}`;
      return new PlatformError('unavailable', reason, message, { retryAfterMs: 1_000 });
    }
    if (this.#calls.size >= this.#credits) {
      return new PlatformError('resource_exhausted', 'QUEUE_FULL', `${this.#credits} calls are open already`, {
        retryAfterMs: 1_000,
      });
    }
    if (call.body.length > bodyBytesMax) {
      return new PlatformError('too_large', 'BODY_TOO_LARGE', `a body may have at most ${bodyBytesMax} bytes`);
    }
    return undefined;
  }

  #connect(): void {
    const stream: ClientStream = new ClientStream(this.#channel, this.#calls, {
      hello: (hello) => {
        this.#hello = hello;
        this.#credits = hello.credits;
        this.#backoffMs = this.#options.backoffMinMs;
        this.#setState('ready');
      },
      credit: (credits) => {
        this.#credits = credits;
      },
      drain: () => {
        this.#setState('draining');
        this.#calls.failUnwritten(
          new PlatformError('unavailable', 'INSTANCE_DRAINING', 'the instance is being stopped', {
            retryAfterMs: 1_000,
          }),
        );
        this.#callsChanged();
      },
      abandoned: this.#options.onAbandoned,
      lost: (why) => this.#lost(stream, why),
    });
    this.#stream = stream;
  }

  #lost(stream: ClientStream, why: string): void {
    if (this.#stream !== stream) return;
    this.#stream = undefined;
    this.#credits = 0;
    const { log, address, backoffMaxMs, random } = this.#options;
    if (this.#state === 'ready') log.warn({ address, why }, 'scoring stream lost');
    if (this.#state !== 'closed') this.#setState('connecting');
    this.#calls.failAll(
      new PlatformError('unavailable', 'INSTANCE_LOST', 'the instance went away before it answered', {
        retryAfterMs: 1_000,
      }),
    );
    if (this.#closing) return;
    // Half to all of the step, so that many routers do not come back in the same millisecond.
    this.#retryTimer = setTimeout(() => this.#connect(), this.#backoffMs * (0.5 + random() / 2));
    this.#retryTimer.unref();
    this.#backoffMs = Math.min(this.#backoffMs * 2, backoffMaxMs);
  }

  #callsChanged(): void {
    if (this.#calls.size === 0) {
      this.#onIdle?.();
      // The peer waits for this before it ends the stream: nothing of ours can be under way any more.
      if (this.#state === 'draining') this.#stream?.halfClose();
    }
    this.#stream?.wake();
  }

  #setState(state: ScoringStreamState): void {
    if (this.#state === state) return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
