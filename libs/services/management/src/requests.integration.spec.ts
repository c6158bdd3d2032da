import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kvKey, requestParts, type MirrorReportRecord, type RequestPart } from '@mooring/domain';
import type { Nats } from '@mooring/messaging';
import { KeptRequests, requestsSubject, type Decided, type EndedRequest } from '@mooring/telemetry';
import { startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { startTestManagement, type TestManagement } from './testing/test-management.ts';

const folder = tempDir();
let natsServer: TestNats;
let nats: Nats;
let management: TestManagement;
const edges = ['edge-1', 'edge-2'].map((name) => ({ name, kept: new KeptRequests({ kept: 3, failedKept: 3 }) }));

const decided: Decided = {
  deployment: 'martina',
  instanceId: 'martina-1',
  batchId: '',
  batchRows: 0,
  rows: 1,
  retries: 0,
  pick: 'weight',
  trafficSlotPlusOne: 8,
  ejections: 0,
  modelDigest: 'd0',
  coldStart: '',
  placement: 'process',
  cache: '',
  idempotency: '',
  mirrored: '',
};

function ended(requestId: string, fields: Partial<EndedRequest> = {}): EndedRequest {
  const parts = Object.fromEntries(requestParts.map((name) => [name, 0.1])) as Record<RequestPart, number>;
  const sizes = { bytesIn: 1, bytesOut: 1, totalMs: 1, parts };
  const told = { clientRequestId: '', protocol: 'score', endpoint: 'cars', status: 200, reason: '' };
  return { requestId, atMs: Date.now(), ...told, ...sizes, ...fields };
}

beforeAll(async () => {
  natsServer = await startTestNats();
  nats = await natsServer.connect();
  for (const { name, kept } of edges) nats.respond(requestsSubject, (id) => JSON.stringify(kept.find(id, name)));
  management = await startTestManagement({ nats: natsServer, data: folder.path });
});

afterAll(async () => {
  await management.stop();
  await natsServer.stop();
  folder.remove();
});

const explain = (id: string, token = management.token) => management.send('GET', `requests/${id}`, { token });

describe('requests/{id}', () => {
  it('finds a request in whichever process answered it, and those of a caller’s id in all of them', async () => {
    edges[1]?.kept.failed(
      ended('r-1', { status: 503, reason: 'NO_INSTANCE', clientRequestId: 'both', atMs: 2 }),
      decided,
    );
    edges[0]?.kept.answered(ended('r-2', { clientRequestId: 'both', atMs: 1 }), decided);
    const one = await explain('r-1');
    expect(one.status).toBe(200);
    expect(one.json.value).toMatchObject([
      { requestId: 'r-1', process: 'edge-2', status: 503, reason: 'NO_INSTANCE', rule: 'weight', trafficSlot: 7 },
    ]);
    const both = await explain('both');
    expect(both.json.value.map((record: { requestId: string }) => record.requestId)).toEqual(['r-1', 'r-2']);
  });

  it('tells what became of copies', async () => {
    const report = { endpoint: 'cars', deployment: 'luca', routerId: 'router' } as MirrorReportRecord;
    const difference = { requestId: 'r-3', at: '', result: 'differs', where: 'a[0]' } as const;
    const reports = await nats.bucket<MirrorReportRecord>('mooring_mirror');
    await reports.put(kvKey('cars', 'luca', 'router'), { ...report, recentDifferences: [difference] });
    edges[0]?.kept.answered(ended('r-3', { endpoint: 'Cars' }), { ...decided, mirrored: 'luca,green' });
    expect((await explain('r-3')).json.value[0].mirrored).toEqual([
      { deployment: 'luca', result: 'differs', where: 'a[0]' },
      { deployment: 'green' },
    ]);
  });

  it('says how many are kept and since when where an id is unknown', async () => {
    const answer = await explain('r-9');
    expect(answer.status).toBe(404);
    expect(answer.json.error.message).toMatch(
      /'r-9' is kept; kept are: edge-1: \d answered since 1970-01-01T00:00:00.001Z, 0 failed, .*; edge-2: 0 answered, 1 failed since/,
    );
  });

  it.each(['a b', '..%2f..', '%00', 'x'.repeat(101), '$(reboot)'])('refuses %s, which is no id', async (id) => {
    const answer = await explain(encodeURI(id).replaceAll('%25', '%'));
    expect(answer.status).toBe(400);
  });

  it('answers nobody without the management token', async () => {
    expect((await explain('r-1', 'none')).status).toBe(401);
  });

  it('is not hung up by what is no answer', async () => {
    const stop = nats.respond(requestsSubject, () => 'not json');
    const other = nats.respond(requestsSubject, () => '{"process":1}');
    expect((await explain('r-1')).status).toBe(200);
    stop();
    other();
  });

  it('answers 503 while NATS is away', async () => {
    await natsServer.stop();
    const answer = await explain('r-1');
    expect(answer.status).toBe(503);
    expect(answer.json.error.message).toContain('NATS is away');
  });
});
