/**
 * Counts how often the instances of a deployment came to be made from another spec. What was answered in one epoch may be
 * another model's answer in the next. That all instances are gone for a while begins none.
 */
export class SpecEpoch {
  readonly #digests = new Map<string, string>();
  #last = '';
  value = 0;

  /** `digest` undefined: the instance takes no calls any more. */
  note(instanceId: string, digest: string | undefined): void {
    if (digest === undefined) this.#digests.delete(instanceId);
    else this.#digests.set(instanceId, digest);
    const now = [...new Set(this.#digests.values())].toSorted().join(' ');
    if (now === '' || now === this.#last) return;
    this.#last = now;
    this.value += 1;
  }
}
