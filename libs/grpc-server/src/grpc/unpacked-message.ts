import { status } from '@grpc/grpc-js';
import type { Inflations } from '@mooring/overload';
import type { ByteBudget } from './byte-budget.ts';
import { CallError } from './call-error.ts';
import { decompress } from './inflate.ts';
import type { InflationGuard } from './inflation-guard.ts';

const released = new CallError(status.CANCELLED, 'nobody waits for the message any more');

/** A message that came compressed: its share of the budget, from before its inflation until whoever reads it is done. */
export class UnpackedMessage {
  readonly #budget: ByteBudget;
  readonly #gone = new AbortController();
  #taken: number;
  #opening = false;

  /** `taken`: what was taken already for the message as it came; it becomes this object's to give back. */
  constructor(budget: ByteBudget, taken: number) {
    this.#budget = budget;
    this.#taken = taken;
  }

  async open(
    inflations: Inflations,
    encoding: string,
    bytes: Buffer,
    guard: InflationGuard,
    owner: unknown,
  ): Promise<Buffer> {
    const packed = this.#taken;
    let begun = false;
    const take = (more: number, piece: Buffer): void => {
      if (!begun) guard.look?.(piece);
      begun = true;
      this.#take(more);
    };
    const { bytesMax } = guard;
    this.#opening = true;
    const message = await decompress(inflations, encoding, { bytes, bytesMax, take, owner, signal: this.#gone.signal });
    this.#opening = false;
    // Released while the last piece was on its way here: everything was given back already.
    if (!this.#gone.signal.aborted) this.#giveBack(packed);
    return message;
  }

  /** Stops what is under way and gives everything back. */
  release(): void {
    if (this.#opening) this.#gone.abort(released);
    this.#giveBack(this.#taken);
  }

  #take(bytes: number): void {
    if (!this.#budget.take(bytes)) {
      throw new CallError(status.RESOURCE_EXHAUSTED, 'the server holds too many unread messages; try again later');
    }
    this.#taken += bytes;
  }

  #giveBack(bytes: number): void {
    this.#budget.giveBack(bytes);
    this.#taken -= bytes;
  }
}
