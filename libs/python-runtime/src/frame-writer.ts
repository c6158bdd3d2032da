import { frameKind, headBytes, postFlag, writeHead } from './frames.ts';
import type { ScoreCall } from '@mooring/scoring-stream';

/** Bodies from this size on are handed over as they are instead of being copied beside the others. */
const largeBytes = 16 * 1024;
const gatheredBytes = 64 * 1024;
const nothing = Buffer.alloc(0);
const jsonType = 'application/json';

/** What goes to one worker in one turn of the event loop, as few buffers as possible. */
export class FrameWriter {
  #buffers: Buffer[] = [];
  #gathering: Buffer = nothing;
  #from = 0;
  #at = 0;

  get empty(): boolean {
    return this.#at === this.#from && this.#buffers.length === 0;
  }

  control(meta: object): void {
    const text = Buffer.from(JSON.stringify(meta));
    this.#frame(frameKind.control, 0, 0, text, nothing);
  }

  call(id: number, call: ScoreCall): void {
    const post = call.method === 'POST' || call.method === '' ? postFlag : 0;
    this.#frame(frameKind.call, post, id, metaOf(call), call.body);
  }

  cancel(id: number): void {
    this.#frame(frameKind.cancel, 0, id, nothing, nothing);
  }

  /** Everything since the last time, in order. */
  take(): Buffer[] {
    this.#cut();
    const buffers = this.#buffers;
    this.#buffers = [];
    return buffers;
  }

  #frame(kind: number, flags: number, id: number, meta: Buffer, body: Buffer): void {
    const together = body.length < largeBytes;
    const bytes = headBytes + meta.length + (together ? body.length : 0);
    if (this.#at + bytes > this.#gathering.length) this.#renew(bytes);
    const to = this.#gathering;
    writeHead(to, this.#at, kind, flags, id, meta.length, body.length);
    meta.copy(to, this.#at + headBytes);
    if (together) body.copy(to, this.#at + headBytes + meta.length);
    this.#at += bytes;
    if (together) return;
    this.#cut();
    this.#buffers.push(body);
  }

  #cut(): void {
    if (this.#at > this.#from) this.#buffers.push(this.#gathering.subarray(this.#from, this.#at));
    this.#from = this.#at;
  }

  /** What was written may still be on its way: it is never written over. */
  #renew(bytes: number): void {
    this.#cut();
    this.#gathering = Buffer.allocUnsafeSlow(Math.max(gatheredBytes, bytes));
    this.#from = 0;
    this.#at = 0;
  }
}

/** Nothing for what nearly every caller sends: a POST of JSON to a script that does not ask for headers. */
function metaOf({ method, query, contentType, headers }: ScoreCall): Buffer {
  const plain = query === '' && contentType === jsonType && headers.length === 0;
  if (plain && (method === 'POST' || method === '')) return nothing;
  const pairs = headers.map(({ name, value }) => [name, value]);
  return Buffer.from(JSON.stringify({ method: method || 'POST', query, contentType, headers: pairs }));
}
