import type { IncomingMessage, ServerResponse } from 'node:http';
import { PlatformError } from '@mooring/errors';

export interface BodyLimits {
  bytesMax: number;
  idleTimeoutMs: number;
  timeoutMs: number;
}

/** Bytes of request bodies that are in memory in this process; a bound over all requests. */
export class BodyMemory {
  readonly #bytesMax: number;
  #taken = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Throws `unavailable` when there is no room. */
  take(bytes: number): void {
    if (this.#taken + bytes > this.#bytesMax) {
      throw new PlatformError('unavailable', 'BODY_MEMORY_FULL', 'too many large requests are being read; try again', {
        retryAfterMs: 1_000,
      });
    }
    this.#taken += bytes;
  }

  give(bytes: number): void {
    this.#taken -= bytes;
  }
}

/** What one request holds of the memory; give it back once. */
export interface HeldBytes {
  take(bytes: number): void;
  giveAll(): void;
}

export function holdBytes(memory: BodyMemory): HeldBytes {
  let held = 0;
  return {
    take: (bytes) => {
      memory.take(bytes);
      held += bytes;
    },
    giveAll: () => {
      memory.give(held);
      held = 0;
    },
  };
}

const noBody = Buffer.alloc(0);

export function tooLarge(bytesMax: number): PlatformError {
  return new PlatformError('too_large', 'BODY_TOO_LARGE', `a request body may have at most ${bytesMax} bytes`);
}

/**
 * The whole body, as sent. Refuses by Content-Length before a byte is read, and while reading otherwise. `response` is
 * told to continue where the caller waits for that (`Expect: 100-continue`).
 */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limits: BodyLimits,
  held: HeldBytes,
): Promise<Buffer> {
  const declared = request.headers['content-length'];
  if (declared === undefined && request.headers['transfer-encoding'] === undefined) return noBody;
  if (Number(declared ?? 0) > limits.bytesMax) throw tooLarge(limits.bytesMax);
  if (declared === '0') return noBody;
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
  return collect(request, limits, held);
}

function collect(request: IncomingMessage, limits: BodyLimits, held: HeldBytes): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (error?: PlatformError): void => {
      clearTimeout(idle);
      clearTimeout(whole);
      request.off('data', onData).off('end', onEnd).off('error', onGone).off('close', onGone);
      if (error) {
        request.pause();
        // A late error of the socket must not be an unhandled one.
        request.on('error', () => undefined);
        reject(error);
      } else resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, bytes));
    };
    const onData = (chunk: Buffer): void => {
      idle.refresh();
      bytes += chunk.length;
      if (bytes > limits.bytesMax) return finish(tooLarge(limits.bytesMax));
      try {
        held.take(chunk.length);
      } catch (thrown) {
        return finish(PlatformError.from(thrown));
      }
      chunks.push(chunk);
    };
    const onEnd = (): void => finish();
    const onGone = (): void => finish(new PlatformError('cancelled', 'CALLER_GONE', 'the caller left while sending'));
    const idle = setTimeout(() => finish(tooSlow(limits.idleTimeoutMs, 'nothing came')), limits.idleTimeoutMs);
    const whole = setTimeout(() => finish(tooSlow(limits.timeoutMs, 'it was not complete')), limits.timeoutMs);
    request.on('data', onData).on('end', onEnd).on('error', onGone).on('close', onGone);
  });
}

function tooSlow(ms: number, what: string): PlatformError {
  return new PlatformError('scoring_timeout', 'BODY_TIMEOUT', `the request body came too slowly: ${what} for ${ms} ms`);
}
