export interface Queued {
  /** 0 goes first. */
  readonly rank: number;
  readonly bytes: number;
}

interface LaneLimits {
  calls: number;
  bytes: number;
}

/** What waits: first in, first out within a rank, bounded in calls and bytes. Leaving from anywhere costs the same. */
export class Lanes<T extends Queued> {
  readonly #lanes: Set<T>[] = [];
  readonly #limits: LaneLimits;
  #size = 0;
  #bytes = 0;

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Which bound a further entry would break; a single one may be larger than the bound in bytes. */
  full(bytes: number): 'calls' | 'bytes' | undefined {
    if (this.#size >= this.#limits.calls) return 'calls';
    return this.#size > 0 && this.#bytes + bytes > this.#limits.bytes ? 'bytes' : undefined;
  }

  /** How many are before a new entry of `rank`. */
  ahead(rank: number): number {
    let count = 0;
    for (let lane = 0; lane <= rank; lane += 1) count += this.#lanes[lane]?.size ?? 0;
    return count;
  }

  push(entry: T): void {
    (this.#lanes[entry.rank] ??= new Set()).add(entry);
    this.#size += 1;
    this.#bytes += entry.bytes;
  }

  /** Takes the next one. */
  shift(): T | undefined {
    for (const lane of this.#lanes) {
      for (const entry of lane ?? []) {
        this.remove(entry);
        return entry;
      }
    }
    return undefined;
  }

  /** False when it is not here. */
  remove(entry: T): boolean {
    if (this.#lanes[entry.rank]?.delete(entry) !== true) return false;
    this.#size -= 1;
    this.#bytes -= entry.bytes;
    return true;
  }

  /** Takes the youngest of those that yield most, if it yields to `rank`. */
  displace(rank: number): T | undefined {
    for (let lane = this.#lanes.length - 1; lane > rank; lane -= 1) {
      const last = [...(this.#lanes[lane] ?? [])].at(-1);
      if (last === undefined) continue;
      this.remove(last);
      return last;
    }
    return undefined;
  }

  takeAll(): T[] {
    const all = this.#lanes.flatMap((lane) => [...(lane ?? [])]);
    this.#lanes.length = 0;
    this.#size = 0;
    this.#bytes = 0;
    return all;
  }
}
