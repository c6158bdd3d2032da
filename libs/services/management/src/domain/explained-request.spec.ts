import { expect, it } from 'vitest';
import { requestParts, type FoundRequests, type MirrorReportRecord, type RequestRecord } from '@mooring/domain';
import { explained, mergeFound, notKept } from './explained-request.ts';

const record: RequestRecord = {
  requestId: 'r-1',
  clientRequestId: '',
  at: '2026-11-25T01:00:00.000Z',
  process: 'edge-1',
  protocol: 'score',
  endpoint: 'cars',
  deployment: 'martina',
  status: 200,
  reason: '',
  rule: 'weight',
  trafficSlot: 3,
  instance: 'martina-1',
  placement: 'process',
  batchId: '',
  batchRows: 0,
  rows: 1,
  retries: 0,
  ejections: 0,
  modelDigest: '',
  coldStart: '',
  cache: '',
  idempotency: '',
  mirrored: ['luca', 'green'],
  bytesIn: 1,
  bytesOut: 1,
  totalMs: 1,
  parts: Object.fromEntries(requestParts.map((name) => [name, 0.1])) as RequestRecord['parts'],
};

const found = (process: string, counts: readonly number[], records: RequestRecord[] = []): FoundRequests => {
  const [answered = 0, failed = 0, turnedAway = 0] = counts;
  const kept = (count: number) => (count === 0 ? { count } : { count, since: '2026-11-25T00:00:00.000Z' });
  return { process, answered: kept(answered), failed: kept(failed), turnedAway: kept(turnedAway), found: records };
};

it('shows what every process found, newest first', () => {
  const later = { ...record, process: 'edge-2', at: '2026-11-25T01:00:01.000Z' };
  expect(mergeFound([found('edge-1', [1], [record]), found('edge-2', [1], [later])])).toEqual([later, record]);
});

it('tells of a copy that answered otherwise, and of one of which no difference is noted', () => {
  const difference = { requestId: 'r-1', at: '', result: 'differs', where: 'a[0]' } as const;
  const reports = [
    { deployment: 'Luca', recentDifferences: [{ ...difference, requestId: 'r-0' }, difference] },
    { deployment: 'green', recentDifferences: [] },
  ] as unknown as MirrorReportRecord[];
  expect(explained(record, reports).mirrored).toEqual([
    { deployment: 'luca', result: 'differs', where: 'a[0]' },
    { deployment: 'green' },
  ]);
});

it('says how many are kept and since when, where an id is unknown', () => {
  const error = notKept('r-9', [found('control-1', []), found('edge-1', [2_000, 3]), found('edge-2', [5, 0, 1])]);
  expect(error).toMatchObject({ code: 'not_found', reason: 'REQUEST_NOT_KEPT' });
  expect(error.message).toContain(
    "'r-9' is kept; kept are: edge-1: 2000 answered since 2026-11-25T00:00:00.000Z, 3 failed since 2026-11-25T00:00:00.000Z, " +
      '0 of callers not let in; edge-2: 5 answered since',
  );
  expect(error.message).not.toContain('control-1');
});

it('says that nothing is kept where nothing was answered yet, and is short however many processes there are', () => {
  expect(notKept('r-9', [found('control-1', [])]).message).toContain('no process has answered a request yet');
  const many = Array.from({ length: 60 }, (_none, index) => found(`edge-${index}`, [1]));
  expect(notKept('r-9', many).message).toContain('and 52 more processes');
});
