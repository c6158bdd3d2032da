import { Counter, Gauge, type LabelValues, type Metric, type MetricObjectWithValues, type Registry } from 'prom-client';

// Metrics whose series can be held: `at(labels)` finds one once, and adding to it is then an addition to a number. Finding
// it anew, as prom-client does for every observation, costs more than a small model's answer takes.

export interface HotValue {
  value: number;
}

interface HotOptions<T extends string> {
  name: string;
  help: string;
  labelNames: readonly T[];
  registers: Registry[];
}

interface Series<T extends string, S> {
  labels: LabelValues<T>;
  series: S;
}

/** The series of one metric by the values of their labels. */
class SeriesTable<T extends string, S> {
  readonly #byKey = new Map<string, Series<T, S>>();
  readonly #names: readonly T[];
  readonly #make: () => S;

  constructor(names: readonly T[], make: () => S) {
    this.#names = names;
    this.#make = make;
  }

  at(labels: LabelValues<T>): S {
    const key = this.#key(labels);
    let found = this.#byKey.get(key);
    if (found === undefined) {
      found = { labels: { ...labels }, series: this.#make() };
      this.#byKey.set(key, found);
    }
    return found.series;
  }

  all(): Iterable<Series<T, S>> {
    return this.#byKey.values();
  }

  #key(labels: LabelValues<T>): string {
    let key = '';
    for (const name of this.#names) key += `${labels[name] ?? ''}\n`;
    return key;
  }
}

/** A counter: `at(labels).value += 1`. What was added is handed to prom-client when it is read. */
export class HotCounter<T extends string> extends Counter<T> {
  readonly #series: SeriesTable<T, HotValue>;

  constructor(options: HotOptions<T>) {
    super({ ...options, labelNames: [...options.labelNames] });
    this.#series = new SeriesTable(options.labelNames, () => ({ value: 0 }));
  }

  at(labels: LabelValues<T>): HotValue {
    return this.#series.at(labels);
  }

  override get(): Promise<MetricObjectWithValues<{ value: number; labels: LabelValues<T> }>> {
    for (const { labels, series } of this.#series.all()) {
      if (series.value > 0) this.inc(labels, series.value);
      series.value = 0;
    }
    return super.get();
  }
}

/** A gauge that goes up and down: `at(labels).value += 1`. */
export class HotGauge<T extends string> extends Gauge<T> {
  readonly #series: SeriesTable<T, HotValue>;

  constructor(options: HotOptions<T>) {
    super({ ...options, labelNames: [...options.labelNames] });
    this.#series = new SeriesTable(options.labelNames, () => ({ value: 0 }));
  }

  at(labels: LabelValues<T>): HotValue {
    return this.#series.at(labels);
  }

  override get(): Promise<MetricObjectWithValues<{ value: number; labels: LabelValues<T> }>> {
    for (const { labels, series } of this.#series.all()) this.set(labels, series.value);
    return super.get();
  }
}

/** A gauge whose values are found when it is read. */
export class ReadGauge<T extends string> extends Gauge<T> {
  /** Undefined: it has none. */
  source: (() => Iterable<{ labels: LabelValues<T>; value: number }>) | undefined;

  constructor(options: HotOptions<T>) {
    super({ ...options, labelNames: [...options.labelNames] });
  }

  override get(): Promise<MetricObjectWithValues<{ value: number; labels: LabelValues<T> }>> {
    this.reset();
    for (const { labels, value } of this.source?.() ?? []) this.set(labels, value);
    return super.get();
  }
}

/** One series of a histogram. */
export class HotDistribution {
  /** Observations for each bucket, not yet added up; the last is beyond all bounds. */
  readonly counts: Float64Array;
  sum = 0;
  readonly #bounds: Float64Array;

  constructor(bounds: Float64Array) {
    this.#bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    // One of these would make the sum useless for good.
    if (!Number.isFinite(value)) return;
    const bounds = this.#bounds;
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] as number)) bucket += 1;
    (this.counts[bucket] as number) += 1;
    this.sum += value;
  }
}

interface ExportedValue {
  metricName: string;
  labels: Record<string, string | number>;
  value: number;
}

/** A histogram: `at(labels).observe(seconds)`. prom-client reads it, but has no part in observing. */
export class HotHistogram<T extends string> {
  readonly name: string;
  readonly help: string;
  readonly type = 'histogram';
  readonly #bounds: Float64Array;
  readonly #series: SeriesTable<T, HotDistribution>;

  constructor(options: HotOptions<T> & { buckets: number[] }) {
    this.name = options.name;
    this.help = options.help;
    this.#bounds = Float64Array.from(options.buckets);
    this.#series = new SeriesTable(options.labelNames, () => new HotDistribution(this.#bounds));
    // The registry asks a metric for no more than its name and `get`.
    for (const registry of options.registers) registry.registerMetric(this as unknown as Metric<T>);
  }

  at(labels: LabelValues<T>): HotDistribution {
    return this.#series.at(labels);
  }

  observe(labels: LabelValues<T>, value: number): void {
    this.#series.at(labels).observe(value);
  }

  /** Of everything that was observed, in the series that count. */
  total(doCount: (labels: LabelValues<T>) => boolean = () => true): number {
    let sum = 0;
    for (const { labels, series } of this.#series.all()) if (doCount(labels)) sum += series.sum;
    return sum;
  }

  async get(): Promise<{ name: string; help: string; type: string; aggregator: string; values: ExportedValue[] }> {
    const values = [...this.#series.all()].flatMap(({ labels, series }) => this.#exported(labels, series));
    return { name: this.name, help: this.help, type: this.type, aggregator: 'sum', values };
  }

  #exported(labels: LabelValues<T>, { counts, sum }: HotDistribution): ExportedValue[] {
    const own = labels as Record<string, string | number>;
    let total = 0;
    const buckets = Array.from(counts, (count, index) => {
      total += count;
      const bound = this.#bounds[index] ?? '+Inf';
      return { metricName: `${this.name}_bucket`, labels: { le: bound, ...own }, value: total };
    });
    return [
      ...buckets,
      { metricName: `${this.name}_sum`, labels: own, value: sum },
      { metricName: `${this.name}_count`, labels: own, value: total },
    ];
  }
}
