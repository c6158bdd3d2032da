import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { requestParts, type RequestPart } from '@mooring/domain';
import type { Decided, EndedRequest } from './ended-request.ts';
import { KeptRequests } from './kept-requests.ts';

const parts = Object.fromEntries(requestParts.map((name, index) => [name, (index + 1) / 8])) as Record<
  RequestPart,
  number
>;

function ended(fields: Partial<EndedRequest> = {}): EndedRequest {
  return {
    requestId: 'r-1',
    clientRequestId: '',
    atMs: Date.UTC(2026, 10, 25, 1, 2, 3, 456),
    protocol: 'score',
    endpoint: 'cars',
    status: 200,
    reason: '',
    bytesIn: 12,
    bytesOut: 34,
    totalMs: 6.875,
    parts,
    ...fields,
  };
}

const decided: Decided = {
  deployment: 'luca',
  instanceId: 'luca-7',
  batchId: 'luca-7-12',
  batchRows: 8,
  rows: 2,
  retries: 1,
  pick: 'weight',
  trafficSlotPlusOne: 43,
  ejections: 1,
  modelDigest: 'd'.repeat(64),
  coldStart: 'waited',
  placement: 'threads',
  cache: 'miss',
  idempotency: 'stored',
  mirrored: 'green,white',
};

const idsOf = (requests: KeptRequests, id: string): string[] =>
  requests.find(id, 'edge-1').found.map((record) => record.requestId);

describe('requests that are kept', () => {
  it('are given back with everything that was noted', () => {
    const requests = new KeptRequests({ kept: 4, failedKept: 4 });
    requests.answered(ended({ clientRequestId: 'mine' }), decided);
    expect(requests.find('r-1', 'edge-1').found).toEqual([
      {
        requestId: 'r-1',
        clientRequestId: 'mine',
        at: '2026-11-25T01:02:03.456Z',
        process: 'edge-1',
        protocol: 'score',
        endpoint: 'cars',
        deployment: 'luca',
        status: 200,
        reason: '',
        rule: 'weight',
        trafficSlot: 42,
        instance: 'luca-7',
        placement: 'threads',
        batchId: 'luca-7-12',
        batchRows: 8,
        rows: 2,
        retries: 1,
        ejections: 1,
        modelDigest: 'd'.repeat(64),
        coldStart: 'waited',
        cache: 'miss',
        idempotency: 'stored',
        mirrored: ['green', 'white'],
        bytesIn: 12,
        bytesOut: 34,
        totalMs: 6.875,
        parts,
      },
    ]);
  });

  it('are found by their own id and by the caller’s, the newest first', () => {
    const requests = new KeptRequests({ kept: 4, failedKept: 4 });
    requests.answered(ended({ requestId: 'a', clientRequestId: 'mine', atMs: 1 }), decided);
    requests.failed(ended({ requestId: 'b', clientRequestId: 'mine', atMs: 3, reason: 'QUEUE_FULL' }), undefined);
    requests.answered(ended({ requestId: 'c', clientRequestId: 'mine', atMs: 2 }), decided);
    expect(idsOf(requests, 'mine')).toEqual(['b', 'c', 'a']);
    expect(idsOf(requests, 'b')).toEqual(['b']);
    for (const other of ['', 'min', 'mine2', 'x'.repeat(1_000), 'mïne']) expect(idsOf(requests, other)).toEqual([]);
  });

  it('never push out what failed, and callers that were not let in push out neither', () => {
    const requests = new KeptRequests({ kept: 3, failedKept: 2 });
    requests.failed(ended({ requestId: 'failed', atMs: 1_000 }), decided);
    for (let n = 0; n < 100; n += 1) {
      requests.answered(ended({ requestId: `ok-${n}`, atMs: 2_000 + n }), decided);
      requests.turnedAway(ended({ requestId: `who-${n}`, atMs: 2_000 + n }));
    }
    expect(idsOf(requests, 'failed')).toEqual(['failed']);
    expect(['ok-96', 'ok-97', 'ok-98', 'ok-99'].map((id) => idsOf(requests, id).length)).toEqual([0, 1, 1, 1]);
    expect(['who-97', 'who-98', 'who-99'].map((id) => idsOf(requests, id).length)).toEqual([0, 1, 1]);
    expect(requests.find('none', 'edge-1')).toEqual({
      process: 'edge-1',
      answered: { count: 3, since: '1970-01-01T00:00:02.097Z' },
      failed: { count: 1, since: '1970-01-01T00:00:01.000Z' },
      turnedAway: { count: 2, since: '1970-01-01T00:00:02.098Z' },
      found: [],
    });
  });

  it('leave nothing of the one before in a place that is used again', () => {
    const requests = new KeptRequests({ kept: 1, failedKept: 1 });
    requests.answered(ended({ requestId: 'a-long-id', clientRequestId: 'mine' }), decided);
    requests.answered(ended({ requestId: 'b' }), undefined);
    expect(idsOf(requests, 'a-long-id')).toEqual([]);
    expect(idsOf(requests, 'mine')).toEqual([]);
    expect(requests.find('b', 'edge-1').found).toMatchObject([
      { clientRequestId: '', deployment: '', instance: '', modelDigest: '', mirrored: [], batchRows: 0, rule: '' },
    ]);
    expect(requests.find('b', 'edge-1').found[0]).not.toHaveProperty('trafficSlot');
  });

  it('are at most twenty of one id', () => {
    const requests = new KeptRequests({ kept: 50, failedKept: 50 });
    for (let n = 0; n < 50; n += 1) {
      requests.answered(ended({ clientRequestId: 'same', atMs: n }), decided);
      requests.failed(ended({ clientRequestId: 'same', atMs: n }), decided);
    }
    expect(idsOf(requests, 'same')).toHaveLength(20);
  });

  it('hold on to no head of a request, whose ids are pieces of it', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const requests = new KeptRequests({ kept: 64, failedKept: 1 });
    const heapUsed = (): number => {
      collect();
      return process.memoryUsage().heapUsed;
    };
    const before = heapUsed();
    for (let n = 0; n < 64; n += 1) {
      const head = Buffer.alloc(256 * 1_024, 'k').toString('latin1') + n;
      requests.answered(ended({ requestId: head.slice(1, 37), clientRequestId: head.slice(50, 90) }), decided);
    }
    expect(heapUsed() - before).toBeLessThan(2 * 2 ** 20);
  });
});
