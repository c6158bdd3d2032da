import { check } from 'k6';
import { Counter, Rate, Trend } from 'k6/metrics';
import type { Outcome } from './outcome.ts';

/** Share of requests that were answered with success. */
const answered = new Rate('answered');
/** How long those took: refusals are quick and would flatter the figure. */
const answeredDuration = new Trend('answered_duration', true);
const refused = new Counter('refused');
/** Neither answered nor refused as the contract says. */
const failed = new Counter('failed');

function count({ kind, durationMs, status }: Outcome): void {
  answered.add(kind === 'answered');
  if (kind === 'answered' && durationMs !== undefined) answeredDuration.add(durationMs);
  if (kind === 'refused') refused.add(1, { status });
  if (kind === 'failed') failed.add(1, { status });
}

/** For loads that the endpoint has to bear. */
export function expectAnswer(outcome: Outcome): void {
  count(outcome);
  check(outcome, { 'is answered': ({ kind }) => kind === 'answered' });
}

/** For loads beyond capacity: an answer, or a refusal that a client can act on. */
export function expectAnswerOrRefusal(outcome: Outcome): void {
  count(outcome);
  check(outcome, { 'is answered or refused': ({ kind }) => kind !== 'failed' });
  if (outcome.kind !== 'refused') return;
  check(outcome, {
    'a refusal says when to retry': ({ hasRetryAfter }) => hasRetryAfter,
    'a refusal gives its reason': ({ hasReason }) => hasReason,
  });
}
