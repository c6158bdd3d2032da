import { expect, it } from 'vitest';
import { requestParts } from '@mooring/domain';
import type { ExplainedRequest } from '@mooring/sdk';
import { explainedText } from './explained-text.ts';

const parts = Object.fromEntries(requestParts.map((name) => [name, 0])) as Record<
  keyof ExplainedRequest['parts'],
  number
>;

const request: ExplainedRequest = {
  requestId: 'r-1',
  clientRequestId: 'mine',
  at: '2026-11-25T01:02:03.456Z',
  process: 'edge-12',
  protocol: 'score',
  endpoint: 'cars',
  deployment: 'martina',
  status: 200,
  reason: '',
  rule: 'weight',
  trafficSlot: 42,
  instance: 'martina-7',
  placement: 'threads',
  batchId: 'martina-7-12',
  batchRows: 8,
  rows: 2,
  retries: 1,
  ejections: 1,
  modelDigest: 'd0',
  coldStart: 'waited',
  cache: 'miss',
  idempotency: 'stored',
  mirrored: [{ deployment: 'luca', result: 'differs', where: 'a[0]' }, { deployment: 'green' }],
  bytesIn: 12,
  bytesOut: 34,
  totalMs: 10,
  parts: { ...parts, auth: 0.05, queue: 2.45, compute: 7.5 },
};

it('tells how a request was decided, what happened to it and where its time went', () => {
  expect(explainedText([request])).toBe(
    [
      'Request     r-1 (mine)',
      'At          2026-11-25T01:02:03.456Z in edge-12',
      'Answered    200 (score; 12 bytes in, 34 out)',
      'Decided     endpoint cars, deployment martina (by the traffic table, slot 42 of 0 to 99)',
      'Ran         on martina-7 (threads), run martina-7-12 of 8 rows, 2 of its own',
      'Model       sha256 d0',
      'On the way  1 retries, 1 ejections; cold start: it waited for an instance that was not ready; response cache: miss; ' +
        'idempotency key: stored',
      'Copies      luca (differs at a[0]); green (no difference noted)',
      'Took        10.000 ms',
      '  auth        0.050   1 %',
      '  queue       2.450  25 % #######',
      '  compute     7.500  75 % #######################',
    ].join('\n'),
  );
});

it('tells of a request that never got far only what there is to tell', () => {
  const nothing = { deployment: '', rule: '', instance: '', placement: '', batchId: '', batchRows: 0, rows: 0 };
  const rest = { retries: 0, ejections: 0, modelDigest: '', coldStart: '', cache: '', idempotency: '', mirrored: [] };
  const refused = {
    ...request,
    ...nothing,
    ...rest,
    clientRequestId: '',
    endpoint: '',
    status: 401,
    reason: 'KEY_INVALID',
  };
  expect(explainedText([{ ...refused, totalMs: 0, parts }]).split('\n')).toEqual([
    'Request     r-1',
    'At          2026-11-25T01:02:03.456Z in edge-12',
    'Answered    401 KEY_INVALID (score; 12 bytes in, 34 out)',
    'Decided     nothing: the caller was not let in to an endpoint',
    'On the way  0 retries, 0 ejections',
    'Took        0.000 ms',
  ]);
});

it('separates several requests of one id by an empty line', () => {
  expect(explainedText([request, request]).split('\n\n')).toHaveLength(2);
});
