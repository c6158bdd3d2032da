import type { OnlineDeploymentSpec } from '@mooring/domain';
import { backOffMs } from '../domain/back-off.ts';
import { canonicalJson } from '../domain/spec-digest.ts';
import type { Launch } from '../ports.ts';
import { DeploymentFailure } from './deployment-failure.ts';

export type Preparation =
  | { state: 'running'; step: string }
  | { state: 'ready'; launch: Launch }
  /** `retryAtMs` is set when trying again may help. */
  | { state: 'failed'; failure: DeploymentFailure; retryAtMs: number | undefined };

export type Prepare = (
  spec: OnlineDeploymentSpec,
  context: { step: (text: string) => void; signal: AbortSignal },
) => Promise<Launch>;

interface Entry {
  preparation: Preparation;
  failures: number;
  abort: AbortController;
}

/** Tries that a failure which may pass gets before an operation is given up. */
export const transientTriesMax = 5;

/** Preparations of one deployment's specs, in the background: the instances that serve are looked after meanwhile. */
export class Preparations {
  private readonly prepare: Prepare;
  private readonly onChange: () => void;
  private readonly entries = new Map<string, Entry>();

  constructor(prepare: Prepare, onChange: () => void) {
    this.prepare = prepare;
    this.onChange = onChange;
  }

  /** How far the preparation of `spec` is; begins it when there is none or when a failed one is due again. */
  of(spec: OnlineDeploymentSpec, nowMs: number): Preparation {
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
  failuresOf(spec: OnlineDeploymentSpec): number {
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
  keepOnly(specs: readonly OnlineDeploymentSpec[]): void {
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

  private begin(key: string, spec: OnlineDeploymentSpec, failures: number): Preparation {
    const entry: Entry = {
      preparation: { state: 'running', step: 'preparing' },
      failures,
      abort: new AbortController(),
    };
    this.entries.set(key, entry);
    void this.run(entry, spec);
    return entry.preparation;
  }

  private async run(entry: Entry, spec: OnlineDeploymentSpec): Promise<void> {
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

/** The part of a spec that decides how instances are made. */
function makingOf(spec: OnlineDeploymentSpec): string {
  const { tags: _tags, description: _description, instanceCount: _count, ...making } = spec;
  return canonicalJson(making);
}
