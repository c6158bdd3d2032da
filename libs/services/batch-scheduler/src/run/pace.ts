/** The rate is taken over this long. */
const spanMs = 30_000;

/** How fast a job goes, from how many items were done when. */
export class Pace {
  readonly #points: { atMs: number; items: number }[] = [];

  /** `all`: items of the whole job. Nothing while too little is known. */
  note(items: number, all: number, atMs = performance.now()): { itemsPerS?: number; etaS?: number } {
    this.#points.push({ atMs, items });
    while (this.#points.length > 2 && atMs - (this.#points[0]?.atMs ?? atMs) > spanMs) this.#points.shift();
    const first = this.#points[0] as { atMs: number; items: number };
    const itemsPerS = ((items - first.items) * 1_000) / (atMs - first.atMs);
    if (!Number.isFinite(itemsPerS) || itemsPerS <= 0) return {};
    return { itemsPerS: rounded(itemsPerS), etaS: Math.ceil((all - items) / itemsPerS) };
  }
}

function rounded(rate: number): number {
  return Number(rate.toPrecision(3));
}
