import type { OnlineDeploymentSpec } from '@mooring/domain';
import { backOffMs } from '../domain/back-off.ts';
import { canonicalJson } from '../domain/spec-digest.ts';
import type { Launch } from '../ports.ts';
import { DeploymentFailure } from './deployment-failure.ts';

export type Preparation<L = Launch> =
  | { state: 'running'; step: string }
  | { state: 'ready'; launch: L }
  /** `retryAtMs` is set when trying again may help. */
  | { state: 'failed'; failure: DeploymentFailure; retryAtMs: number | undefined };

export type Prepare<S = OnlineDeploymentSpec, L = Launch> = (
  spec: S,
  context: { step: (text: string) => void; signal: AbortSignal },
) => Promise<L>;

interface Entry<L> {
  preparation: Preparation<L>;
  failures: number;
  abort: AbortController;
}

/** Tries that a failure which may pass gets before an operation is given up. */
export const transientTriesMax = 5;

/** Preparations of one deployment's specs, in the background: the instances that serve are looked after meanwhile. */
export class Preparations<S extends object = OnlineDeploymentSpec, L = Launch> {
  private readonly prepare: Prepare<S, L>;
  private readonly onChange: () => void;
  private readonly entries = new Map<string, Entry<L>>();

  constructor(prepare: Prepare<S, L>, onChange: () => void) {
    this.prepare = prepare;
    this.onChange = onChange;
  }

  /** How far the preparation of `spec` is; begins it when there is none or when a failed one is due again. */
  of(spec: S, nowMs: number): Preparation<L> {
    const key = makingOf(spec);
    const entry = this.entries.get(key);
    if (entry === undefined) return this.begin(key, spec, 0);
    const { preparation } = entry;
    if (preparation.state !== 'failed' || preparation.retryAtMs === undefined || nowMs < preparation.retryAtMs) {
      return preparation;
    }
    return this.begin(key, spec, entry.failures);
  }

  /** Failed tries in a row. */
  failuresOf(spec: S): number {
    return this.entries.get(makingOf(spec))?.failures ?? 0;
  }

  /** When the first of those that failed is due again. */
  nextRetryAtMs(): number | undefined {
    const times = [...this.entries.values()].flatMap(({ preparation }) =>
      preparation.state === 'failed' && preparation.retryAtMs !== undefined ? [preparation.retryAtMs] : [],
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Ends and forgets those of other specs. */
  keepOnly(specs: readonly S[]): void {
    const kept = new Set(specs.map(makingOf));
    for (const [key, entry] of this.entries) {
      if (kept.has(key)) continue;
      entry.abort.abort(new Error('another version of the deployment is wanted now'));
      this.entries.delete(key);
    }
  }

  /** Tries a failed preparation anew: the user asked again. */
  forgetFailures(): void {
    for (const [key, entry] of this.entries) if (entry.preparation.state === 'failed') this.entries.delete(key);
  }

  private begin(key: string, spec: S, failures: number): Preparation<L> {
    const entry: Entry<L> = {
      preparation: { state: 'running', step: 'preparing' },
      failures,
      abort: new AbortController(),
    };
    this.entries.set(key, entry);
    void this.run(entry, spec);
    return entry.preparation;
  }

  private async run(entry: Entry<L>, spec: S): Promise<void> {
    const step = (text: string): void => {
      entry.preparation = { state: 'running', step: text };
      this.onChange();
    };
    try {
      const launch = await this.prepare(spec, { step, signal: entry.abort.signal });
      entry.preparation = { state: 'ready', launch };
      entry.failures = 0;
    } catch (thrown) {
      const failure = DeploymentFailure.from(thrown);
      entry.failures += 1;
      const retryAtMs = failure.retryable ? Date.now() + 1_000 + backOffMs(entry.failures) : undefined;
      entry.preparation = { state: 'failed', failure, retryAtMs };
    }
    this.onChange();
  }
}

/** What a spec says without deciding how anything is made. */
const notOfMaking = new Set(['tags', 'description', 'instanceCount', 'job', 'compute']);

function makingOf(spec: object): string {
  return canonicalJson(Object.fromEntries(Object.entries(spec).filter(([field]) => !notOfMaking.has(field))));
}
