import { Lanes } from '@mooring/overload';
import type { OpenCall } from './open-call.ts';

const bytesMaxDefault = 256 * 2 ** 20;

/** Calls that wait for a worker: in order of arrival, batch calls after all live ones, mirrored copies last. */
export class CallQueue {
  readonly #lanes: Lanes<OpenCall>;
  /** Came back from a worker that has not begun them, oldest first. Few: what a worker may have, and no more to be refused. */
  #returned: OpenCall[] = [];

  constructor(max: number, bytesMax = bytesMaxDefault) {
    this.#lanes = new Lanes({ calls: max, bytes: bytesMax });
  }

  get length(): number {
    return this.#lanes.size + this.#returned.length;
  }

  /** How many would be served before `open`. */
  ahead(open: OpenCall): number {
    return this.#lanes.ahead(open.rank) + this.#returned.filter(({ rank }) => rank <= open.rank).length;
  }

  /** False when it is full. */
  push(open: OpenCall): boolean {
    if (this.#lanes.full(open.bytes) !== undefined) return false;
    this.#lanes.push(open);
    return true;
  }

  /** Puts one that was taken before all of its rank that never were. */
  putBack(open: OpenCall): void {
    const before = (one: OpenCall): boolean =>
      one.rank < open.rank || (one.rank === open.rank && one.arrivedMs <= open.arrivedMs);
    const later = this.#returned.findIndex((one) => !before(one));
    this.#returned.splice(later < 0 ? this.#returned.length : later, 0, open);
  }

  shift(): OpenCall | undefined {
    const [first] = this.#returned;
    if (first === undefined || (first.rank > 0 && this.#lanes.ahead(first.rank - 1) > 0)) return this.#lanes.shift();
    return this.#returned.shift();
  }

  /** True when it was waiting here. */
  remove(open: OpenCall): boolean {
    const at = this.#returned.indexOf(open);
    if (at < 0) return this.#lanes.remove(open);
    this.#returned.splice(at, 1);
    return true;
  }

  /** Empties the queue. */
  takeAll(): OpenCall[] {
    return [...this.#returned.splice(0), ...this.#lanes.takeAll()];
  }
}
