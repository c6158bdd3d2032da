import { requestParts, type RequestPart, type RequestRecord, type RequestsKept } from '@mooring/domain';
import type { Decided, EndedRequest } from './ended-request.ts';

/** A longer id is cut, and not found. */
const idCharactersMax = 100;
/** A reason is a word, ours or a model's; a longer text is not worth its memory. */
const reasonCharactersMax = 128;
const partsEach = requestParts.length;
const numbersEach = 10;
const textsEach = 13;
const idsEach = 2;

/**
 * The newest requests, in memory that is there from the start: to note one makes nothing that the garbage collector would
 * have to carry along. Ids are copied as bytes, because the caller's is a piece of its whole head, key included.
 */
export class RequestRing {
  readonly #capacity: number;
  readonly #numbers: Float64Array;
  readonly #parts: Float64Array;
  readonly #texts: string[];
  readonly #ids: Buffer;
  readonly #idLengths: Uint8Array;
  #next = 0;
  #count = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
    this.#numbers = new Float64Array(capacity * numbersEach);
    this.#parts = new Float64Array(capacity * partsEach);
    this.#texts = Array.from({ length: capacity * textsEach }, () => '');
    this.#ids = Buffer.alloc(capacity * idsEach * idCharactersMax);
    this.#idLengths = new Uint8Array(capacity * idsEach);
  }

  put(request: EndedRequest, decided: Decided | undefined): void {
    const at = this.#next;
    this.#next = at + 1 === this.#capacity ? 0 : at + 1;
    if (this.#count < this.#capacity) this.#count += 1;
    this.#putId(at * idsEach, request.requestId);
    this.#putId(at * idsEach + 1, request.clientRequestId);
    this.#putEnd(at, request);
    this.#putParts(at * partsEach, request.parts);
    this.#putDecision(at, decided ?? undecided);
  }

  /** Adds those whose own or whose caller's id it is to `found`, newest first, until that has `max`. */
  find(id: string, max: number, process: string, found: RequestRecord[]): void {
    for (let back = 1; back <= this.#count && found.length < max; back += 1) {
      const at = (this.#next - back + this.#capacity) % this.#capacity;
      if (this.#hasId(at * idsEach, id) || this.#hasId(at * idsEach + 1, id)) found.push(this.#record(at, process));
    }
  }

  get kept(): RequestsKept {
    if (this.#count === 0) return { count: 0 };
    const oldest = this.#count < this.#capacity ? 0 : this.#next;
    return { count: this.#count, since: timeText(this.#numbers[oldest * numbersEach]) };
  }

  #putId(slot: number, id: string): void {
    const { length } = id;
    this.#idLengths[slot] = length < idCharactersMax ? length : idCharactersMax;
    if (length > 0) this.#ids.write(id, slot * idCharactersMax, idCharactersMax, 'latin1');
  }

  #hasId(slot: number, id: string): boolean {
    return this.#idLengths[slot] === id.length && this.#id(slot) === id;
  }

  #id(slot: number): string {
    const from = slot * idCharactersMax;
    return this.#ids.toString('latin1', from, from + (this.#idLengths[slot] ?? 0));
  }

  #putEnd(at: number, request: EndedRequest): void {
    const numbers = this.#numbers;
    const number = at * numbersEach;
    numbers[number] = request.atMs;
    numbers[number + 1] = request.totalMs;
    numbers[number + 2] = request.status;
    numbers[number + 3] = request.bytesIn;
    numbers[number + 4] = request.bytesOut;
    const texts = this.#texts;
    const text = at * textsEach;
    const { reason } = request;
    texts[text] = request.protocol;
    texts[text + 1] = request.endpoint;
    texts[text + 2] = reason.length > reasonCharactersMax ? 'REASON_TOO_LONG' : reason;
  }

  /** In the order of `requestParts`; written out, because a loop over names takes several times as long. */
  #putParts(at: number, parts: Readonly<Record<RequestPart, number>>): void {
    const to = this.#parts;
    to[at] = parts.auth;
    to[at + 1] = parts.read;
    to[at + 2] = parts.route;
    to[at + 3] = parts.queue;
    to[at + 4] = parts.batchWait;
    to[at + 5] = parts.transport;
    to[at + 6] = parts.preprocess;
    to[at + 7] = parts.compute;
    to[at + 8] = parts.postprocess;
    to[at + 9] = parts.write;
  }

  #putDecision(at: number, decided: Decided): void {
    const numbers = this.#numbers;
    const number = at * numbersEach;
    numbers[number + 5] = decided.trafficSlotPlusOne;
    numbers[number + 6] = decided.batchRows;
    numbers[number + 7] = decided.rows;
    numbers[number + 8] = decided.retries;
    numbers[number + 9] = decided.ejections;
    const texts = this.#texts;
    const text = at * textsEach;
    texts[text + 3] = decided.deployment;
    texts[text + 4] = decided.pick;
    texts[text + 5] = decided.instanceId;
    texts[text + 6] = decided.placement;
    texts[text + 7] = decided.batchId;
    texts[text + 8] = decided.modelDigest;
    texts[text + 9] = decided.coldStart;
    texts[text + 10] = decided.cache;
    texts[text + 11] = decided.idempotency;
    texts[text + 12] = decided.mirrored;
  }

  #record(at: number, process: string): RequestRecord {
    const number = (index: number): number => this.#numbers[at * numbersEach + index] ?? 0;
    const text = (index: number): string => this.#texts[at * textsEach + index] ?? '';
    const part = (index: number): number => rounded(this.#parts[at * partsEach + index] ?? 0);
    const slotPlusOne = number(5);
    return {
      requestId: this.#id(at * idsEach),
      clientRequestId: this.#id(at * idsEach + 1),
      at: timeText(number(0)),
      process,
      protocol: text(0),
      endpoint: text(1),
      deployment: text(3),
      status: number(2),
      reason: text(2),
      rule: text(4),
      ...(slotPlusOne > 0 ? { trafficSlot: slotPlusOne - 1 } : {}),
      instance: text(5),
      placement: text(6),
      batchId: text(7),
      batchRows: number(6),
      rows: number(7),
      retries: number(8),
      ejections: number(9),
      modelDigest: text(8),
      coldStart: text(9),
      cache: text(10),
      idempotency: text(11),
      mirrored: text(12) === '' ? [] : text(12).split(','),
      bytesIn: number(3),
      bytesOut: number(4),
      totalMs: rounded(number(1)),
      parts: Object.fromEntries(requestParts.map((name, index) => [name, part(index)])) as RequestRecord['parts'],
    };
  }
}

/** Of a request that never reached a router. */
const undecided: Decided = {
  deployment: '',
  instanceId: '',
  batchId: '',
  batchRows: 0,
  rows: 0,
  retries: 0,
  pick: '',
  trafficSlotPlusOne: 0,
  ejections: 0,
  modelDigest: '',
  coldStart: '',
  placement: '',
  cache: '',
  idempotency: '',
  mirrored: '',
};

function timeText(atMs = 0): string {
  return new Date(atMs).toISOString();
}

/** To a hundredth of a microsecond: the parts of a short request must still add up to it. */
function rounded(ms: number): number {
  return Math.round(ms * 100_000) / 100_000;
}
