import type { OperationReport } from '../ports.ts';
import type { Wanted } from '../domain/rolling-plan.ts';
import type { Preparation } from './preparations.ts';
import type { Slot } from './slot.ts';

/** What is being done now, for people, and how far it is. */
export function progressOf(
  preparation: Preparation,
  wanted: Wanted | undefined,
  slots: readonly Slot[],
  crash: string | undefined,
): Pick<OperationReport, 'step' | 'percentComplete'> {
  if (preparation.state === 'running') return { step: preparation.step, percentComplete: 10 };
  if (preparation.state === 'failed') {
    return { step: `preparing again after: ${preparation.failure.message}`, percentComplete: 10 };
  }
  if (wanted === undefined) return {};
  const current = slots.filter((slot) => slot.handle.specDigest === wanted.digest && slot.leaving === undefined);
  const ready = current.filter((slot) => slot.handle.phase === 'ready').length;
  const percentComplete = 40 + Math.floor((55 * ready) / Math.max(1, wanted.count));
  if (ready >= wanted.count) return { step: 'stopping what is not needed any more', percentComplete };
  const after = crash === undefined ? '' : `, after a try that ${crash}`;
  if (current.length > ready) {
    return { step: `waiting for readiness of instance ${ready + 1} of ${wanted.count}${after}`, percentComplete };
  }
  return { step: `starting instance ${ready + 1} of ${wanted.count}${after}`, percentComplete };
}
