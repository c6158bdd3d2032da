import { Priority } from '@mooring/contracts/scoring';
import type { OpenCall } from './open-call.ts';

/** Calls that wait for a worker: in order of arrival, mirrored copies after all live ones. */
export class CallQueue {
  #live: OpenCall[] = [];
  #mirrored: OpenCall[] = [];
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get length(): number {
    return this.#live.length + this.#mirrored.length;
  }

  /** False when it is full. */
  push(open: OpenCall): boolean {
    if (this.length >= this.#max) return false;
    this.#laneOf(open).push(open);
    return true;
  }

  shift(): OpenCall | undefined {
    return this.#live.shift() ?? this.#mirrored.shift();
  }

  /** True when it was waiting here. */
  remove(open: OpenCall): boolean {
    const lane = this.#laneOf(open);
    const at = lane.indexOf(open);
    if (at !== -1) lane.splice(at, 1);
    return at !== -1;
  }

  /** Empties the queue. */
  takeAll(): OpenCall[] {
    const all = [...this.#live, ...this.#mirrored];
    this.#live = [];
    this.#mirrored = [];
    return all;
  }

  #laneOf(open: OpenCall): OpenCall[] {
    return open.call.priority === Priority.PRIORITY_MIRROR ? this.#mirrored : this.#live;
  }
}
