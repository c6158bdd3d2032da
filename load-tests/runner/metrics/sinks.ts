export type MetricType = 'counter' | 'gauge' | 'rate' | 'trend';

/** What the samples of one metric add up to. */
export interface Sink {
  readonly isEmpty: boolean;
  add(value: number): void;
  /** One figure by its name in a threshold or summary; undefined when this kind of metric has no such figure. */
  figure(name: string, seconds: number): number | undefined;
}

class CounterSink implements Sink {
  private total = 0;
  isEmpty = true;

  add(value: number): void {
    this.total += value;
    this.isEmpty = false;
  }

  figure(name: string, seconds: number): number | undefined {
    if (name === 'count') return this.total;
    if (name === 'rate') return seconds > 0 ? this.total / seconds : 0;
    return undefined;
  }
}

class GaugeSink implements Sink {
  private value = 0;
  private min = 0;
  private max = 0;
  isEmpty = true;

  add(value: number): void {
    this.value = value;
    this.min = this.isEmpty ? value : Math.min(this.min, value);
    this.max = this.isEmpty ? value : Math.max(this.max, value);
    this.isEmpty = false;
  }

  figure(name: string): number | undefined {
    return name === 'value' || name === 'min' || name === 'max' ? this[name] : undefined;
  }
}

class RateSink implements Sink {
  private passes = 0;
  private total = 0;

  get isEmpty(): boolean {
    return this.total === 0;
  }

  add(value: number): void {
    this.total += 1;
    if (value !== 0) this.passes += 1;
  }

  figure(name: string): number | undefined {
    if (name === 'rate') return this.total === 0 ? 0 : this.passes / this.total;
    if (name === 'passes') return this.passes;
    return name === 'fails' ? this.total - this.passes : undefined;
  }
}

/** Keeps every sample (8 bytes each), so that percentiles are exact. */
class TrendSink implements Sink {
  private samples = new Float64Array(1_024);
  private count = 0;
  private sum = 0;
  /** How many of the first samples are in order. */
  private sorted = 0;

  get isEmpty(): boolean {
    return this.count === 0;
  }

  add(value: number): void {
    if (this.count === this.samples.length) {
      const grown = new Float64Array(this.count * 2);
      grown.set(this.samples);
      this.samples = grown;
    }
    this.samples[this.count++] = value;
    this.sum += value;
  }

  figure(name: string): number | undefined {
    if (name === 'count') return this.count;
    if (name === 'avg') return this.count === 0 ? 0 : this.sum / this.count;
    const percent = percentOf(name);
    return percent === undefined ? undefined : this.percentile(percent);
  }

  /** Between the two nearest samples by straight line, as k6 does. */
  private percentile(percent: number): number {
    if (this.count === 0) return 0;
    this.sort();
    const position = (percent / 100) * (this.count - 1);
    const below = this.samples[Math.floor(position)] ?? 0;
    const above = this.samples[Math.ceil(position)] ?? 0;
    return below + (above - below) * (position - Math.floor(position));
  }

  /** New samples are sorted and merged into the old ones: sorting all of them again would stall the load. */
  private sort(): void {
    if (this.sorted === this.count) return;
    const tail = this.samples.subarray(this.sorted, this.count).toSorted();
    let from = this.sorted - 1;
    let to = this.count - 1;
    for (let at = tail.length - 1; at >= 0; to--) {
      const old = from >= 0 ? (this.samples[from] ?? 0) : Number.NEGATIVE_INFINITY;
      const fresh = tail[at] ?? 0;
      if (old > fresh) from--;
      else at--;
      this.samples[to] = Math.max(old, fresh);
    }
    this.sorted = this.count;
  }
}

/** The percentile that a figure's name asks for: `p(99.9)`, `med`, `min` and `max`. */
export function percentOf(name: string): number | undefined {
  if (name === 'min') return 0;
  if (name === 'med') return 50;
  if (name === 'max') return 100;
  const percent = Number(/^p\((\d+(?:\.\d+)?)\)$/.exec(name)?.[1]);
  return percent >= 0 && percent <= 100 ? percent : undefined;
}

export function createSink(type: MetricType): Sink {
  if (type === 'counter') return new CounterSink();
  if (type === 'gauge') return new GaugeSink();
  return type === 'rate' ? new RateSink() : new TrendSink();
}
