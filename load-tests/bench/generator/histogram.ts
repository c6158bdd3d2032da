/** Quarter microseconds: the unit in which latencies are counted. */
const unitsPerMs = 4_000;
const largestUnits = 2 ** 31 - 1;
const buckets = 64 * 26 + 64;

/** Latencies in buckets that are at most 1.6 % wide, so that any number of them takes the same 7 KB. */
export class Histogram {
  readonly #counts = new Uint32Array(buckets);
  #total = 0;
  #maxMs = 0;

  get total(): number {
    return this.#total;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  add(ms: number): void {
    const units = Math.min(largestUnits, Math.max(0, Math.round(ms * unitsPerMs)));
    // Seven significant bits: below 128 units each has a bucket of its own, above it the lowest bits are cut off.
    const shift = Math.max(0, 25 - Math.clz32(units));
    const index = 64 * shift + (units >> shift);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The latency that the share `q` of all did not exceed; NaN when there is none. */
  quantileMs(q: number): number {
    if (this.#total === 0) return Number.NaN;
    const wanted = Math.max(1, Math.ceil(q * this.#total));
    let seen = 0;
    for (let index = 0; index < buckets; index += 1) {
      seen += this.#counts[index] ?? 0;
      if (seen >= wanted) return Math.min(this.#maxMs, middleMs(index));
    }
    return this.#maxMs;
  }

  /** Pairs of bucket and count, for another process to merge. */
  toJSON(): [number, number][] {
    return [...this.#counts].flatMap((count, index): [number, number][] => (count === 0 ? [] : [[index, count]]));
  }

  merge(pairs: readonly (readonly [number, number])[], maxMs: number): void {
    for (const [index, count] of pairs) {
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
      this.#total += count;
    }
    this.#maxMs = Math.max(this.#maxMs, maxMs);
  }
}

function middleMs(index: number): number {
  if (index < 128) return index / unitsPerMs;
  const shift = Math.floor(index / 64) - 1;
  return ((64 + (index % 64) + 0.5) * 2 ** shift) / unitsPerMs;
}
