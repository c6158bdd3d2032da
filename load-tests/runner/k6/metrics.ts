import type { Metric as RunMetric } from '../metrics/registry.ts';
import type { MetricType } from '../metrics/sinks.ts';
import { currentScope, requireInit } from '../scope.ts';

class Metric {
  readonly name: string;
  private readonly metric: RunMetric;

  constructor(type: MetricType, name: string, isTime: boolean) {
    const { test } = requireInit(`new metric '${name}'`);
    this.name = name;
    this.metric = test.metrics.define(name, type, isTime ? 'time' : 'default');
  }

  add(value: number | boolean, tags: Readonly<Record<string, string>> = {}): void {
    const amount = Number(value);
    if (Number.isNaN(amount)) throw new TypeError(`metric '${this.name}': ${String(value)} is not a number`);
    const scope = currentScope();
    scope.test.metrics.add(this.metric, amount, { ...scope.tags, group: scope.group, ...tags });
  }
}

export class Counter extends Metric {
  constructor(name: string, isTime = false) {
    super('counter', name, isTime);
  }
}

export class Gauge extends Metric {
  constructor(name: string, isTime = false) {
    super('gauge', name, isTime);
  }
}

export class Rate extends Metric {
  constructor(name: string, isTime = false) {
    super('rate', name, isTime);
  }
}

export class Trend extends Metric {
  constructor(name: string, isTime = false) {
    super('trend', name, isTime);
  }
}

export default { Counter, Gauge, Rate, Trend };
