import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import type { Nats } from '@mooring/messaging';
import { eventually, startTestNats, type TestNats } from '@mooring/testing';
import type { AuditEvent } from '../ports.ts';
import { openNatsAudit } from './nats-audit.ts';

const log = pino({ enabled: false });
let nats: TestNats;
let connection: Nats;
beforeAll(async () => {
  nats = await startTestNats();
  connection = await nats.connect();
});
afterAll(() => nats.stop());

function event(requestId: string): AuditEvent {
  return {
    time: new Date().toISOString(),
    principal: 'admin',
    action: 'onlineEndpoints/write',
    resource: '/x',
    outcome: 'accepted',
    status: 200,
    requestId,
  };
}

describe('the audit', () => {
  it('keeps events in order and gives the newest first', async () => {
    const audit = await openNatsAudit(connection, log);
    expect(await audit.recent(10)).toEqual([]);
    for (const id of ['1', '2', '3']) await audit.record(event(id));
    expect((await audit.recent(10)).map(({ requestId }) => requestId)).toEqual(['3', '2', '1']);
    expect((await audit.recent(2)).map(({ requestId }) => requestId)).toEqual(['3', '2']);
    audit.stop();
  });

  it('stores later what happened while the state store was away', async () => {
    const audit = await openNatsAudit(connection, log);
    await nats.kill();
    await eventually(() => !audit.available());
    await audit.record(event('late-1'));
    await audit.record(event('late-2'));
    await nats.resume();
    await eventually(() => audit.available(), { timeoutMs: 15_000 });
    await eventually(
      async () => {
        const ids = (await audit.recent(2)).map(({ requestId }) => requestId);
        expect(ids).toEqual(['late-2', 'late-1']);
      },
      { timeoutMs: 15_000 },
    );
    audit.stop();
  });
});
