import type { IdempotencyRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import {
  answerOf as answerOfPort,
  failedReply,
  type CallHead,
  type ScoreCall,
  type ScoreReply,
  type ScoringPort,
} from '@mooring/scoring-stream';
import type { Directory, EndpointEntry } from '../domain/directory.ts';
import { isInference } from '../domain/is-inference.ts';
import type { AnswerStore } from './answer-store.ts';
import { callDigest, keyDigest } from './call-digest.ts';
import { noLease, type Claim, type Lease } from './claims.ts';
import { answerOf, isFinal, keptAnswer, keptBytes, recordOf } from './kept-answer.ts';
import { SharedRun } from './shared-run.ts';
import { takeClaim, type ClaimDeps } from './take-claim.ts';

export interface IdempotencyDeps {
  directory: Pick<Directory, 'endpoint'>;
  /** The answers that this process knows. */
  answers: AnswerStore<KnownAnswer>;
  claims: ClaimDeps;
  /** Names this process among the routers. */
  processId: string;
  /** Larger answers are not kept. */
  answerBytesMax: number;
  /** Keys whose requests may run, or wait for another process, at once. */
  openMax: number;
  note: (endpoint: string, result: IdempotencyResult) => void;
}

/** `alone`: NATS could not be asked, so that only this process knew of the key. */
export type IdempotencyResult = 'run' | 'replayed' | 'joined' | 'reused' | 'not_stored' | 'taken_over' | 'alone';

export interface KnownAnswer {
  fingerprint: string;
  answer: ScoreReply;
}

interface OpenKey {
  fingerprint: string;
  run: SharedRun;
}

/** `next`, with at most one run for each idempotency key and everybody who sends it getting that run's answer. */
export class IdempotentPort implements ScoringPort {
  private readonly next: ScoringPort;
  private readonly deps: IdempotencyDeps;
  private readonly open = new Map<string, OpenKey>();
  private readonly settling = new Set<Promise<void>>();
  private claimed = 0;

  constructor(next: ScoringPort, deps: IdempotencyDeps) {
    this.next = next;
    this.deps = deps;
  }

  async score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    return this.scoreAtOnce(call, signal);
  }

  scoreAtOnce(call: ScoreCall, signal: AbortSignal): ScoreReply | Promise<ScoreReply> {
    if (call.idempotencyKey === '' || !isInference(call.operation)) return answerOfPort(this.next, call, signal);
    // The route says in its own words what is wrong with it; a key that opens nothing shall not fill the store.
    const endpoint = this.deps.directory.endpoint(call.endpoint);
    if (endpoint === undefined) return this.next.score(call, signal);
    return this.scoreOnce(endpoint, call, signal).catch((thrown: unknown) =>
      failedReply(PlatformError.from(thrown), true),
    );
  }

  /** With a key there may be an answer already, however full it is. */
  refusal(head: CallHead): ScoreReply | undefined {
    return head.idempotencyKey === '' ? this.next.refusal?.(head) : undefined;
  }

  /** Resolves when the answers that were given are known to the other processes, too. */
  async settled(): Promise<void> {
    await Promise.all(this.settling);
  }

  private async scoreOnce(entry: EndpointEntry, call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    const endpoint = entry.writtenName;
    const key = keyDigest(entry, call.idempotencyKey);
    const fingerprint = await callDigest(call, call.deployment.toLowerCase());
    const known = this.deps.answers.get(key);
    if (known !== undefined)
      return known.fingerprint === fingerprint ? this.replayed(endpoint, known) : this.reused(endpoint);
    const present = this.open.get(key);
    if (present !== undefined) return this.join(endpoint, present, fingerprint, call, signal);
    if (this.open.size >= this.deps.openMax) return failedReply(tooManyKeys(this.open.size), false);
    const open: OpenKey = {
      fingerprint,
      run: new SharedRun(
        (all) => this.run(endpoint, key, fingerprint, call, all).finally(() => this.close(key, open)),
        () => this.close(key, open),
      ),
    };
    this.open.set(key, open);
    return open.run.wait(call, signal);
  }

  private async join(
    endpoint: string,
    { fingerprint: running, run }: OpenKey,
    fingerprint: string,
    call: ScoreCall,
    signal: AbortSignal,
  ): Promise<ScoreReply> {
    if (running !== fingerprint) return this.reused(endpoint);
    this.deps.note(endpoint, 'joined');
    const answer = await run.wait(call, signal);
    return answer.idempotency === '' ? answer : { ...answer, idempotency: 'replayed' };
  }

  /** Never rejects. Who waits looks at its own deadline, so that the first caller's short one ends nobody else's request. */
  private async run(
    endpoint: string,
    key: string,
    fingerprint: string,
    call: ScoreCall,
    signal: AbortSignal,
  ): Promise<ScoreReply> {
    const claim = await this.claim(endpoint, key, fingerprint, signal);
    if (claim === undefined) return failedReply(PlatformError.from(signal.reason), false);
    if (claim.kind === 'reused') return this.reused(endpoint);
    if (claim.kind === 'answered') return this.adopt(endpoint, key, claim);
    this.deps.note(endpoint, 'run');
    const answer = await this.next.score({ ...call, deadlineMs: 0 }, signal);
    return this.keep(endpoint, key, fingerprint, claim.lease, answer);
  }

  /** Undefined when everybody left while another process ran it. */
  private async claim(
    endpoint: string,
    key: string,
    fingerprint: string,
    signal: AbortSignal,
  ): Promise<Claim | undefined> {
    this.claimed += 1;
    const owner = `${this.deps.processId}-${this.claimed}`;
    const onTakenOver = (): void => this.deps.note(endpoint, 'taken_over');
    try {
      return await takeClaim({ ...this.deps.claims, onTakenOver }, key, { fingerprint, owner }, signal);
    } catch {
      if (signal.aborted) return undefined;
      // Better a key that only this process knows than a request that is not answered.
      this.deps.note(endpoint, 'alone');
      return { kind: 'mine', lease: noLease };
    }
  }

  /** The answer that another process has stored. */
  private adopt(endpoint: string, key: string, { record, ageMs }: Extract<Claim, { kind: 'answered' }>): ScoreReply {
    const { fingerprint, answer: stored } = record as Required<IdempotencyRecord>;
    const known = { fingerprint, answer: answerOf(stored) };
    this.deps.answers.put(key, known, keptBytes(known.answer), ageMs);
    return this.replayed(endpoint, known);
  }

  private keep(endpoint: string, key: string, fingerprint: string, lease: Lease, answer: ScoreReply): ScoreReply {
    if (!isFinal(answer)) {
      this.settle(lease, undefined);
      return answer;
    }
    const bytes = keptBytes(answer);
    if (bytes > this.deps.answerBytesMax) {
      this.deps.note(endpoint, 'not_stored');
      this.settle(lease, undefined);
      return { ...answer, idempotency: 'not-stored' };
    }
    const kept = keptAnswer(answer);
    this.deps.answers.put(key, { fingerprint, answer: kept }, bytes);
    this.settle(lease, recordOf(kept));
    return { ...answer, idempotency: 'stored' };
  }

  /** Behind the caller's back: it has its answer, and who asks elsewhere meanwhile sees a request that runs. */
  private settle(lease: Lease, answer: IdempotencyRecord['answer']): void {
    const settled = lease.settle(answer).finally(() => this.settling.delete(settled));
    this.settling.add(settled);
  }

  private close(key: string, open: OpenKey): void {
    if (this.open.get(key) === open) this.open.delete(key);
  }

  private replayed(endpoint: string, { answer }: KnownAnswer): ScoreReply {
    this.deps.note(endpoint, 'replayed');
    return { ...answer, idempotency: 'replayed' };
  }

  private reused(endpoint: string): ScoreReply {
    this.deps.note(endpoint, 'reused');
    const message =
      'this Idempotency-Key came with another request before (path, query, content type, pinned deployment or body ' +
      'differ); give each request a key of its own';
    return failedReply(new PlatformError('already_exists', 'IDEMPOTENCY_KEY_REUSED', message), false);
  }
}

function tooManyKeys(open: number): PlatformError {
  const message = `${open} requests with an Idempotency-Key are open already; send fewer at once, or leave the key out`;
  return new PlatformError('unavailable', 'IDEMPOTENCY_KEYS_FULL', message, { retryAfterMs: 1_000 });
}
