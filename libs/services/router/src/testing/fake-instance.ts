import type { InstanceRecord, InstanceState, RoutingRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { failedReply, reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import type { InstanceStream } from '../ports.ts';

/** An instance for specs: answers what it is told, and counts. */
export class FakeInstance implements InstanceStream {
  readonly id: string;
  connected = true;
  /** Calls that it works on at the same time; 0 = all. */
  parallelNow = 0;
  closed = false;
  calls: ScoreCall[] = [];
  openNow = 0;
  answer: (call: ScoreCall, signal: AbortSignal) => Promise<ScoreReply> | ScoreReply;

  constructor(id: string, answer: FakeInstance['answer'] = () => jsonReply({ by: id })) {
    this.id = id;
    this.answer = answer;
  }

  ready(): boolean {
    return this.connected && !this.closed;
  }

  parallel(): number {
    return this.parallelNow;
  }

  close(): void {
    this.closed = true;
  }

  async score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    this.calls.push(call);
    this.openNow += 1;
    try {
      const answer = await this.answer(call, signal);
      // An answer never comes in the tick of its call, so a spec must not see that either.
      await new Promise((resolve) => setImmediate(resolve));
      return answer;
    } finally {
      this.openNow -= 1;
    }
  }
}

export function jsonReply(value: unknown): ScoreReply {
  return reply({ status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) });
}

export function lost(started: boolean): ScoreReply {
  return failedReply(new PlatformError('unavailable', 'INSTANCE_LOST', 'the instance went away'), started);
}

/** Never answers, as an instance that hangs. */
export function hang(): Promise<ScoreReply> {
  return new Promise(() => {});
}

export function routing(fields: Partial<RoutingRecord> & { names?: readonly string[] } = {}): RoutingRecord {
  const { names = ['martina', 'luca'], ...rest } = fields;
  return {
    endpoint: 'cars',
    createdAt: '2026-01-01T00:00:00.000Z',
    authMode: 'key',
    traffic: { martina: 100 },
    mirrorTraffic: {},
    generation: 1,
    deployments: Object.fromEntries(
      names.map((name) => [
        name,
        {
          name,
          model: { name, version: '1' },
          requestTimeoutMs: 5_000,
          maxConcurrentRequestsPerInstance: 1_000,
          instanceCount: 1,
          mirrorTolerance: 1e-4,
        },
      ]),
    ),
    ...rest,
  };
}

export function instanceRecord(deployment: string, id: string, state: InstanceState = 'ready'): InstanceRecord {
  return {
    id,
    endpoint: 'cars',
    deployment,
    specDigest: 'd',
    state,
    address: `unix:/nowhere/${id}.sock`,
    pid: 1,
    startTicks: 1,
    startedAt: '2026-01-01T00:00:00Z',
    restarts: 0,
  };
}
