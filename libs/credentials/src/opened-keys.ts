import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { EndpointCredentialsRecord } from '@mooring/domain';
import { verifyKey } from './verify-key.ts';

const digestLength = 64;

/**
 * `verifyKey` for every request: a key that opened a record before is known again by one digest under a salt of this
 * process's own, compared in constant time. A record that is written anew is another object, and begins without any.
 */
export class OpenedKeys {
  readonly #salt = randomBytes(32).toString('hex');
  readonly #presented = Buffer.alloc(digestLength);
  /** Two digests at most for each record, its primary key's and its secondary's; no longer than the record is there. */
  readonly #known = new WeakMap<EndpointCredentialsRecord, { primary: Buffer; secondary: Buffer }>();

  opens(record: EndpointCredentialsRecord, presentedKey: string): boolean {
    // As hexadecimal text: Node makes a buffer of a digest at three times the cost.
    this.#presented.write(hash('sha256', this.#salt + presentedKey, 'hex'), 0, 'latin1');
    const known = this.#known.get(record);
    if (known !== undefined) {
      const primary = timingSafeEqual(known.primary, this.#presented);
      const secondary = timingSafeEqual(known.secondary, this.#presented);
      if (primary || secondary) return true;
    }
    const slot = verifyKey(record, presentedKey);
    if (slot === undefined) return false;
    const none = Buffer.alloc(digestLength);
    this.#known.set(record, { primary: none, secondary: none, ...known, [slot]: Buffer.from(this.#presented) });
    return true;
  }
}
