import type { ScoreCall, ScoreReply } from '@mooring/scoring-stream';
import type { DeploymentPool } from '../domain/deployment-pool.ts';
import type { DeploymentEntry } from '../domain/directory.ts';
import type { Clock } from '../ports.ts';
import { AnswerStore, ByteBudget } from './answer-store.ts';
import { callDigest } from './call-digest.ts';
import { isFinal, isSuccess, keptAnswer, keptBytes } from './kept-answer.ts';
import { SharedRun } from './shared-run.ts';

export type AlikeResult = 'hit' | 'miss' | 'shared';

export interface AlikeDeps {
  now: Clock;
  /** What the caches of all deployments may take. */
  bytesMax: number;
  note: (target: DeploymentEntry, result: AlikeResult) => void;
}

/** Runs one call; rejects when the deployment refuses it. */
export type Run = (call: ScoreCall, signal: AbortSignal) => Promise<ScoreReply>;

/** A deployment's answers and runs, all of one epoch of its instances. */
interface Alike {
  epoch: number;
  kept: AnswerStore<ScoreReply> | undefined;
  runs: Map<string, SharedRun>;
}

/** Small answers; bounds what the index itself takes. */
const entriesMax = 65_536;
/** A caller whose shared run failed for a reason of that run shares another one. */
const sharedRunsMax = 3;

/** Answers identical requests of a deployment from its cache, or from one run, as the deployment asks for. */
export class AlikeRequests {
  private readonly deps: AlikeDeps;
  private readonly budget: ByteBudget;
  /** By pool, not by name: a deployment that is made anew under its old name begins anew. */
  private readonly pools = new Map<DeploymentPool, { target: DeploymentEntry; alike: Alike }>();

  constructor(deps: AlikeDeps) {
    this.deps = deps;
    this.budget = new ByteBudget(deps.bytesMax);
  }

  async answer(target: DeploymentEntry, call: ScoreCall, signal: AbortSignal, run: Run): Promise<ScoreReply> {
    const startedMs = this.deps.now();
    const digested = callDigest(call, '');
    const key = typeof digested === 'string' ? digested : await digested;
    const alike = this.of(target);
    const kept = alike.kept?.get(key);
    if (kept === undefined) return this.runOrShare(target, alike, key, call, signal, run);
    this.deps.note(target, 'hit');
    const routerUs = Math.round((this.deps.now() - startedMs) * 1_000);
    return { ...kept, cache: 'hit', routerUs };
  }

  /** What each deployment's cache holds now; lets go of what is too old. */
  held(): { target: DeploymentEntry; bytes: number }[] {
    return [...this.pools.values()].map(({ target, alike }) => {
      alike.kept?.sweep();
      return { target, bytes: alike.kept?.bytes ?? 0 };
    });
  }

  /** Lets go of the caches of deployments that are not `present` any more. */
  forget(present: (target: DeploymentEntry) => boolean): void {
    for (const [pool, { target, alike }] of this.pools) {
      if (present(target)) continue;
      alike.kept?.close();
      this.pools.delete(pool);
    }
  }

  private async runOrShare(
    target: DeploymentEntry,
    alike: Alike,
    key: string,
    call: ScoreCall,
    signal: AbortSignal,
    run: Run,
  ): Promise<ScoreReply> {
    if (target.route.singleFlight !== true) return this.runAndKeep(target, alike, key, call, signal, run);
    // A batch request must not make live ones wait for its turn.
    const runKey = `${call.priority} ${key}`;
    const startedMs = this.deps.now();
    for (let round = 1; ; round += 1) {
      const present = alike.runs.get(runKey);
      if (present === undefined) break;
      this.deps.note(target, 'shared');
      const answer = await present.wait(this.patience(call, startedMs), signal);
      if (isFinal(answer) || round >= sharedRunsMax || signal.aborted || answer.errorCode === 'deadline_exceeded') {
        return { ...answer, cache: 'shared' };
      }
    }
    const close = (): void => {
      if (alike.runs.get(runKey) === shared) alike.runs.delete(runKey);
    };
    const start = (all: AbortSignal): Promise<ScoreReply> =>
      this.runAndKeep(target, alike, key, { ...call, deadlineMs: 0 }, all, run).finally(close);
    const shared: SharedRun = new SharedRun(start, close);
    alike.runs.set(runKey, shared);
    return shared.wait(this.patience(call, startedMs), signal);
  }

  /** The call with what is left of its time. */
  private patience(call: ScoreCall, startedMs: number): ScoreCall {
    if (call.deadlineMs === 0) return call;
    return { ...call, deadlineMs: Math.max(1, Math.ceil(call.deadlineMs - (this.deps.now() - startedMs))) };
  }

  private async runAndKeep(
    target: DeploymentEntry,
    alike: Alike,
    key: string,
    call: ScoreCall,
    signal: AbortSignal,
    run: Run,
  ): Promise<ScoreReply> {
    this.deps.note(target, 'miss');
    const answer = await run(call, signal);
    answer.cache = 'miss';
    // One that began before a roll may be the old model's answer.
    if (alike.kept !== undefined && alike.epoch === target.pool.specs.value && mayBeKept(answer)) {
      alike.kept.put(key, keptAnswer(answer), keptBytes(answer));
    }
    return answer;
  }

  private of(target: DeploymentEntry): Alike {
    const { pool, route } = target;
    const present = this.pools.get(pool)?.alike;
    const ttlMs = route.responseCache?.ttlMs ?? 0;
    const bytesMax = route.responseCache?.bytesMax ?? 0;
    const limits = present?.kept?.limits;
    const same = (limits?.ttlMs ?? 0) === ttlMs && (limits?.bytesMax ?? 0) === bytesMax;
    if (present !== undefined && same && present.epoch === pool.specs.value) return present;
    present?.kept?.close();
    const kept =
      ttlMs > 0 ? new AnswerStore<ScoreReply>({ entriesMax, bytesMax, ttlMs }, this.deps.now, this.budget) : undefined;
    const alike: Alike = { epoch: pool.specs.value, kept, runs: new Map() };
    this.pools.set(pool, { target, alike });
    return alike;
  }
}

/** Scripts may say of an answer that it is nobody else's. */
function mayBeKept(answer: ScoreReply): boolean {
  if (!isSuccess(answer)) return false;
  return !answer.headers.some(({ name, value }) => {
    const lower = name.toLowerCase();
    return lower === 'set-cookie' || (lower === 'cache-control' && /no-store|private/i.test(value));
  });
}
