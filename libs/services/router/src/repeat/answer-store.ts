import type { Clock } from '../ports.ts';

/** Bytes that several stores share: the one that has the most gives way. */
export class ByteBudget {
  readonly max: number;
  readonly stores = new Set<{ readonly bytes: number; dropOldest(): boolean }>();

  constructor(max: number) {
    this.max = max;
  }

  get used(): number {
    let sum = 0;
    for (const { bytes } of this.stores) sum += bytes;
    return sum;
  }

  /** Makes room for `bytes`; false when there is none to be had. */
  free(bytes: number): boolean {
    if (bytes > this.max) return false;
    while (this.used + bytes > this.max) {
      const largest = [...this.stores].reduce((most, store) => (store.bytes > most.bytes ? store : most));
      if (!largest.dropOldest()) return false;
    }
    return true;
  }
}

export interface StoreLimits {
  entriesMax: number;
  bytesMax: number;
  ttlMs: number;
}

interface Entry<T> {
  value: T;
  bytes: number;
  endsAtMs: number;
}

/** Values by key, for a time, within limits: what was not asked for the longest goes first. */
export class AnswerStore<T> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #now: Clock;
  readonly #budget: ByteBudget | undefined;
  readonly limits: StoreLimits;
  #bytes = 0;

  constructor(limits: StoreLimits, now: Clock, budget?: ByteBudget) {
    this.limits = limits;
    this.#now = now;
    this.#budget = budget;
    budget?.stores.add(this);
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    this.#entries.delete(key);
    if (entry.endsAtMs <= this.#now()) {
      this.#bytes -= entry.bytes;
      return undefined;
    }
    this.#entries.set(key, entry);
    return entry.value;
  }

  /** True when it is kept: not when it is larger than the store. `agedMs`: it is that old. */
  put(key: string, value: T, bytes: number, agedMs = 0): boolean {
    const { entriesMax, bytesMax, ttlMs } = this.limits;
    this.#drop(key);
    if (bytes > bytesMax || agedMs >= ttlMs) return false;
    while (this.#entries.size >= entriesMax || this.#bytes + bytes > bytesMax) if (!this.dropOldest()) return false;
    if (this.#budget?.free(bytes) === false) return false;
    this.#entries.set(key, { value, bytes, endsAtMs: this.#now() + ttlMs - agedMs });
    this.#bytes += bytes;
    return true;
  }

  dropOldest(): boolean {
    const oldest = this.#entries.keys().next();
    if (oldest.done === true) return false;
    this.#drop(oldest.value);
    return true;
  }

  /** Lets go of what nobody may have any more. */
  sweep(): void {
    const nowMs = this.#now();
    for (const [key, { endsAtMs }] of this.#entries) if (endsAtMs <= nowMs) this.#drop(key);
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }

  /** Lets go of everything for good. */
  close(): void {
    this.clear();
    this.#budget?.stores.delete(this);
  }

  #drop(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}
