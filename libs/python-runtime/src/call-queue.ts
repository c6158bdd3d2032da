import { Lanes } from '@mooring/overload';
import type { OpenCall } from './open-call.ts';

const bytesMaxDefault = 256 * 2 ** 20;

/** Calls that wait for a worker: in order of arrival, batch calls after all live ones, mirrored copies last. */
export class CallQueue {
  readonly #lanes: Lanes<OpenCall>;

  constructor(max: number, bytesMax = bytesMaxDefault) {
    this.#lanes = new Lanes({ calls: max, bytes: bytesMax });
  }

  get length(): number {
    return this.#lanes.size;
  }

  /** How many would be served before `open`. */
  ahead(open: OpenCall): number {
    return this.#lanes.ahead(open.rank);
  }

  /** False when it is full. */
  push(open: OpenCall): boolean {
    if (this.#lanes.full(open.bytes) !== undefined) return false;
    this.#lanes.push(open);
    return true;
  }

  shift(): OpenCall | undefined {
    return this.#lanes.shift();
  }

  /** True when it was waiting here. */
  remove(open: OpenCall): boolean {
    return this.#lanes.remove(open);
  }

  /** Empties the queue. */
  takeAll(): OpenCall[] {
    return this.#lanes.takeAll();
  }
}
