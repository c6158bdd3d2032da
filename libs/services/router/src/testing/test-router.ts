import type { RoutingRecord } from '@mooring/domain';
import type { ScoreCall, ScoreReply, ScoringPort } from '@mooring/scoring-stream';
import { call } from '@mooring/scoring-stream/testing';
import { Directory } from '../domain/directory.ts';
import { MirrorSender } from '../mirror.ts';
import type { RouterObserver } from '../observer.ts';
import { AlikeRequests } from '../repeat/alike-requests.ts';
import { createRoute } from '../route.ts';
import { FakeInstance, instanceRecord, routing } from './fake-instance.ts';

export interface TestRouter {
  directory: Directory;
  mirror: MirrorSender;
  route: ScoringPort;
  /** What the observer was told, in order: `picked luca weight`. */
  events: string[];
  instance(deployment: string, fake: FakeInstance): FakeInstance;
  score(fields?: Partial<ScoreCall>, signal?: AbortSignal): Promise<ScoreReply>;
}

export interface TestRouterOptions {
  record?: RoutingRecord;
  random?: () => number;
  now?: () => number;
  queueMax?: number;
  instanceWaitMs?: number;
}

/** A router over fakes: no network, no store. */
export function testRouter(options: TestRouterOptions = {}): TestRouter {
  const fakes = new Map<string, FakeInstance>();
  const events: string[] = [];
  const observer = recordingObserver(events);
  const directory = new Directory((record) => {
    const fake = fakes.get(record.id);
    if (!fake) throw new Error(`no fake for ${record.id}`);
    return fake;
  });
  const shared = {
    ejection: { afterFailures: 3, baseMs: 1_000, maxMs: 8_000 },
    now: options.now ?? (() => performance.now()),
    onEjected: observer.ejected,
    observer,
  };
  const limits = { queueMax: options.queueMax ?? 64, bytesMax: 2 ** 20, compareBytesMax: 2 ** 18 };
  const mirror = new MirrorSender({ ...shared, limits });
  directory.applyRouting('cars', options.record ?? routing(), 1);
  const route = createRoute({
    ...shared,
    directory,
    mirror,
    random: options.random ?? Math.random,
    retriesMax: 3,
    deploymentBytesMax: 512 * 2 ** 20,
    instanceWaitMs: options.instanceWaitMs ?? 50,
    alike: new AlikeRequests({ now: shared.now, bytesMax: 2 ** 20, note: () => {} }),
  });
  return {
    directory,
    mirror,
    route,
    events,
    instance: (deployment, fake) => {
      fakes.set(fake.id, fake);
      directory.applyInstance(`cars.${deployment}.${fake.id}`, instanceRecord(deployment, fake.id));
      return fake;
    },
    score: (fields, signal = new AbortController().signal) => route.score(call(fields), signal),
  };
}

function recordingObserver(events: string[]): RouterObserver {
  const span = { traceparent: '', end: () => {} };
  return {
    span: () => span,
    mirrorSpan: () => span,
    picked: (target, why) => events.push(`picked ${target.name} ${why}`),
    answered: () => {},
    rejected: (_target, error) => events.push(`rejected ${error.reason}`),
    retryDenied: (target) => events.push(`retry denied ${target.name}`),
    ejected: (target) => events.push(`ejected ${target.name}`),
    mirrorSent: (target) => events.push(`sent ${target.name}`),
    mirrorDropped: (target, reason) => events.push(`dropped ${target.name} ${reason}`),
    mirrorCompared: (target, result) => events.push(`compared ${target.name} ${result}`),
  };
}
