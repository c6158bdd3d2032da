import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RequestRecord } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { failedReply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { exchangeRaw } from './testing/raw-http.ts';
import { bearer, echo, linesOf, startTestGateway, type TestGateway } from './testing/test-gateway.ts';

let gateway: TestGateway;
beforeEach(async () => {
  gateway = await startTestGateway();
});
afterEach(() => gateway.stop());

const score = (headers: Record<string, string> = {}, path = '/endpoints/cars/score'): Promise<Response> =>
  fetch(gateway.url + path, { method: 'POST', body: '{"a":1}', headers: { ...bearer, ...headers } });

/** An answer with everything that a router tells. */
async function decided(call: ScoreCall): Promise<ScoreReply> {
  const timing = { totalUs: 900, queueUs: 100, batchWaitUs: 50, preprocessUs: 50, computeUs: 600, postprocessUs: 100 };
  const told = { trafficSlotPlusOne: 43, ejections: 1, modelDigest: 'd0', coldStart: 'first', placement: 'threads' };
  const batch = { batchId: 'b-1', batchRows: 8, rows: 4, retries: 1, routerUs: 70, mirrored: 'luca' };
  return { ...(await echo(call)), ...told, ...batch, timing };
}

function kept(id: string): RequestRecord[] {
  return gateway.requests.find(id, 'edge-1').found;
}

describe('x-mooring-decision', () => {
  it('tells how a request was decided, to whoever asks', async () => {
    gateway.answer = decided;
    const { headers } = await score({ 'x-mooring-explain': '1' });
    expect(headers.get('x-mooring-decision')).toBe(
      'rule=weight, bucket=42, deployment="martina", instance="i-1", placement=threads, batch="b-1", batch-rows=8, rows=4, ' +
        'retries=1, ejections=1, model="d0", cold-start=first, mirrored="luca"',
    );
  });

  it('is told of a request that the router refused', async () => {
    const refused = failedReply(new PlatformError('unavailable', 'NO_INSTANCE', 'none'), false);
    gateway.answer = async () => ({ ...refused, deployment: 'luca', pick: 'weight', trafficSlotPlusOne: 100 });
    const response = await score({ 'x-mooring-explain': 'yes' });
    expect(response.status).toBe(503);
    expect(response.headers.get('x-mooring-decision')).toBe(
      'rule=weight, bucket=99, deployment="luca", retries=0, ejections=0, cold-start=no',
    );
  });

  it('is not there for whoever does not ask, even if a model says it is', async () => {
    gateway.answer = async (call) => ({
      ...(await decided(call)),
      headers: [{ name: 'X-Mooring-Decision', value: 'forged' }],
    });
    for (const headers of [{}, { 'x-mooring-explain': '0' }]) {
      expect((await score(headers)).headers.get('x-mooring-decision')).toBeNull();
    }
    expect((await score({ 'x-mooring-explain': '1' })).headers.get('x-mooring-decision')).not.toContain('forged');
  });
});

describe('requests that can be explained', () => {
  it('are found by the id of the answer and by the caller’s own', async () => {
    gateway.answer = decided;
    const response = await score({ 'x-ms-client-request-id': 'mine' });
    await response.text();
    await linesOf(gateway, 1);
    const [record] = kept(response.headers.get('x-request-id') ?? '');
    expect(record).toMatchObject({
      clientRequestId: 'mine',
      protocol: 'score',
      endpoint: 'cars',
      deployment: 'martina',
      status: 200,
      reason: '',
      rule: 'weight',
      trafficSlot: 42,
      instance: 'i-1',
      placement: 'threads',
      batchId: 'b-1',
      batchRows: 8,
      rows: 4,
      retries: 1,
      ejections: 1,
      modelDigest: 'd0',
      coldStart: 'first',
      mirrored: ['luca'],
      bytesIn: 7,
      bytesOut: 7,
    });
    expect(kept('mine')).toEqual([record]);
  });

  it('have parts that add up to what they took, however they ended', async () => {
    const ways: Record<string, TestGateway['answer']> = {
      answered: decided,
      slow: async (call) => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        return decided(call);
      },
      'later than its parts say': async (call) => {
        const timing = { totalUs: 0, queueUs: 0, batchWaitUs: 0, preprocessUs: 0, computeUs: 0, postprocessUs: 0 };
        return { ...(await echo(call)), timing };
      },
      'with parts beyond what passed': async (call) => ({ ...(await decided(call)), routerUs: 900_000 }),
      failed: async () => failedReply(new PlatformError('unavailable', 'NO_INSTANCE', 'none'), false),
    };
    let worst = 0;
    let count = 0;
    for (const answer of Object.values(ways)) {
      gateway.answer = answer;
      for (let n = 0; n < 100; n += 1) {
        const wrong = n % 10 === 0 ? { authorization: 'Bearer wrong' } : {};
        const response = await score(wrong, n % 10 === 1 ? '/endpoints/nowhere/score' : undefined);
        await response.text();
        await linesOf(gateway, (count += 1));
        const [record] = kept(response.headers.get('x-request-id') ?? '');
        if (record === undefined) throw new Error('not kept');
        const sum = Object.values(record.parts).reduce((total, ms) => total + ms, 0);
        worst = Math.max(worst, Math.abs(sum - record.totalMs) / record.totalMs);
      }
    }
    console.log(`parts against the whole over ${count} requests: worst deviation ${(worst * 100).toFixed(3)} %`);
    expect(worst).toBeLessThan(0.05);
  });

  it('are kept apart: answered, failed, and not let in; health is not kept', async () => {
    await (await score()).text();
    gateway.answer = async () => failedReply(new PlatformError('unavailable', 'NO_INSTANCE', 'none'), false);
    await (await score()).text();
    await (await score({ authorization: 'Bearer wrong' })).text();
    await (await score({}, '/endpoints/nowhere/score')).text();
    await (await fetch(`${gateway.url}/healthz`)).text();
    await linesOf(gateway, 5);
    const { answered, failed, turnedAway } = gateway.requests.find('x', 'edge-1');
    expect([answered.count, failed.count, turnedAway.count]).toEqual([1, 1, 2]);
  });

  it('hold neither key nor payload nor query, whatever became of them', async () => {
    const hush = { authorization: 'Bearer hush-hush', 'x-ms-client-request-id': 'mine' };
    for (const headers of [hush, { ...bearer, 'x-ms-client-request-id': 'mine' }]) {
      const asked = { method: 'POST', body: 'top secret', headers };
      await (await fetch(`${gateway.url}/endpoints/cars/score?token=private`, asked)).text();
    }
    await linesOf(gateway, 2);
    expect(kept('mine').map(({ status, reason }) => [status, reason])).toEqual([
      [200, ''],
      [401, 'KEY_INVALID'],
    ]);
    expect(JSON.stringify(kept('mine'))).not.toMatch(/hush|secret|private|kkkk/);
  });

  it('include what was no HTTP', async () => {
    const answer = await exchangeRaw(gateway.url, 'POST / HTTP/1.1\r\nno header\r\n\r\n');
    const id = /x-request-id: (\S+)/.exec(answer.text)?.[1] ?? '';
    expect(kept(id)).toMatchObject([{ status: 400, endpoint: '', reason: expect.stringMatching(/^[A-Z_]+$/) }]);
  });
});
