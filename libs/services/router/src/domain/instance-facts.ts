import type { InstanceRecord } from '@mooring/domain';
import type { ScoreReply } from '@mooring/scoring-stream';

/** What an answer says of the instance that gave it. */
export interface InstanceFacts {
  readonly modelDigest: string;
  readonly placement: 'inline' | 'threads' | 'process';
  /** It was sent a call before. */
  used: boolean;
}

/** `inline`: the model in this process, not its instance. */
export function factsOf({ modelDigest = '', placement }: InstanceRecord, inline = false): InstanceFacts {
  const apart = placement?.chosen === 'threads' ? 'threads' : 'process';
  return { modelDigest, placement: inline ? 'inline' : apart, used: false };
}

/** Puts them on an answer. */
export function tellFacts(answer: ScoreReply, facts: InstanceFacts): void {
  answer.modelDigest = facts.modelDigest;
  answer.placement = facts.placement;
  if (facts.used) return;
  facts.used = true;
  answer.coldStart = 'first';
}
