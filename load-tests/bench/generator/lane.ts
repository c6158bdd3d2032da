import { grpcBase, goodStatus, noStatus } from './jobs.ts';

/** What became of one request. */
export interface Outcome {
  status: number;
  /** A refusal says when to come again and gives a reason; true for everything that is no refusal. */
  isExplained: boolean;
  /** In words, of failures only. */
  text: string;
}

/** A place for one request at a time. */
export interface Lane {
  /** When its present request was due and when it was sent; milliseconds of performance.now(). */
  dueAt: number;
  sentAt: number;
  busy: boolean;
  send(): void;
  /** Gives up on the present request, if there is one: its outcome is `none`. */
  abandon(why: string): void;
  close(): void;
}

export type OnOutcome = (lane: Lane, outcome: Outcome) => void;

export const good: Outcome = { status: goodStatus, isExplained: true, text: '' };

export function noAnswer(text: string): Outcome {
  return { status: noStatus, isExplained: true, text };
}

const refusals = new Set([408, 429, 503, 504, ...[4, 8, 14].map((code) => grpcBase + code)]);

export function failure(status: number, hasRetryAfter: boolean, hasReason: boolean, text: string): Outcome {
  const isExplained = !refusals.has(status) || (hasRetryAfter && hasReason);
  return { status, isExplained, text: text.slice(0, 300) };
}

/** Refused because there is too much to do, which must not take long. */
export function isShed(status: number): boolean {
  return status === 429 || status === 503 || status === grpcBase + 8 || status === grpcBase + 14;
}
