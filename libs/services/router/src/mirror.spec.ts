import { expect, it } from 'vitest';
import type { MirrorReportRecord } from '@mooring/domain';
import { eventually, seeded } from '@mooring/testing';
import { FakeInstance, hang, jsonReply, lost, routing } from './testing/fake-instance.ts';
import { testRouter, type TestRouter } from './testing/test-router.ts';

const report = (router: TestRouter): MirrorReportRecord | undefined =>
  router.mirror.tallies.get('cars/luca')?.report('router', new Date());

const compared = (router: TestRouter): number => {
  const counts = report(router)?.compared;
  return counts === undefined ? 0 : counts.equal + counts.within + counts.differs + counts.failed;
};

it('mirrors 20 % of 10,000 live calls within 2 points and compares every copy; pinned calls are never mirrored', async () => {
  const router = testRouter({ record: routing({ mirrorTraffic: { luca: 20 } }), random: seeded(11) });
  router.instance('martina', new FakeInstance('m1', () => jsonReply({ p: [0.5, 0.25] })));
  const luca = router.instance('luca', new FakeInstance('l1', () => jsonReply({ p: [0.5, 0.25] })));
  for (let i = 0; i < 10_000; i += 1) await router.score();
  const sent = report(router)?.sent ?? 0;
  console.log(`mirror: ${(sent / 100).toFixed(2)} % of 10,000 copied`);
  expect(Math.abs(sent / 100 - 20)).toBeLessThanOrEqual(2);
  await eventually(() => compared(router) === sent);
  expect(report(router)?.compared).toEqual({ equal: sent, within: 0, differs: 0, failed: 0 });
  expect(report(router)).toMatchObject({ dropped: 0 });
  expect(luca.calls.every((call) => call.priority === 2 && call.deployment === 'luca')).toBe(true);

  for (let i = 0; i < 200; i += 1) await router.score({ deployment: 'martina' });
  expect(report(router)?.sent).toBe(sent);
});

it('draws for each of several mirrors by itself', async () => {
  const record = routing({ names: ['martina', 'luca', 'eva'], mirrorTraffic: { luca: 50, eva: 25 } });
  const router = testRouter({ record, random: seeded(3) });
  for (const name of ['martina', 'luca', 'eva']) router.instance(name, new FakeInstance(name));
  for (let i = 0; i < 4_000; i += 1) await router.score();
  const sent = (name: string): number =>
    (router.mirror.tallies.get(`cars/${name}`)?.report('r', new Date()).sent ?? 0) / 40;
  expect(Math.abs(sent('luca') - 50)).toBeLessThanOrEqual(3);
  expect(Math.abs(sent('eva') - 25)).toBeLessThanOrEqual(3);
});

it('notes what differs, what is within the tolerance and what failed, by request id and path only', async () => {
  const record = routing({ mirrorTraffic: { luca: 50 } });
  const router = testRouter({ record, random: () => 0 });
  router.instance('martina', new FakeInstance('m1', () => jsonReply({ p: [1, 2] })));
  const luca = router.instance('luca', new FakeInstance('l1'));
  const answers = {
    within: () => jsonReply({ p: [1.00005, 2] }),
    differs: () => jsonReply({ p: [1, 3] }),
    failed: () => lost(true),
  };
  for (const [requestId, answer] of Object.entries(answers)) {
    luca.answer = answer;
    const before = compared(router);
    await router.score({ requestId });
    await eventually(() => compared(router) === before + 1);
  }
  expect(report(router)?.compared).toEqual({ equal: 0, within: 1, differs: 1, failed: 1 });
  expect(report(router)?.recentDifferences).toMatchObject([
    { requestId: 'within', result: 'within', where: 'p[0]' },
    { requestId: 'differs', result: 'differs', where: 'p[1]', maxDifference: 1 },
    { requestId: 'failed', result: 'failed', where: 'INSTANCE_LOST' },
  ]);
});

it('keeps at most 32 differences, the newest', async () => {
  const router = testRouter({ record: routing({ mirrorTraffic: { luca: 50 } }), random: () => 0 });
  router.instance('martina', new FakeInstance('m1', () => jsonReply(1)));
  router.instance('luca', new FakeInstance('l1', () => jsonReply(2)));
  for (let i = 0; i < 100; i += 1) await router.score({ requestId: `r${i}` });
  await eventually(() => compared(router) === 100);
  const recent = report(router)?.recentDifferences ?? [];
  expect(recent).toHaveLength(32);
  expect(recent.at(-1)?.requestId).toBe('r99');
});

/** p99 of live calls, ms, while 32 callers keep calling an instance that takes a few milliseconds. */
async function liveP99(mirrorTraffic: Record<string, number>): Promise<{ p99: number; router: TestRouter }> {
  const router = testRouter({ record: routing({ mirrorTraffic }), random: seeded(5), queueMax: 16 });
  router.instance(
    'martina',
    new FakeInstance('m1', () => new Promise((done) => setTimeout(() => done(jsonReply(1)), 3))),
  );
  router.instance('luca', new FakeInstance('l1', hang));
  const times: number[] = [];
  const caller = async (): Promise<void> => {
    for (let i = 0; i < 60; i += 1) {
      const startedMs = performance.now();
      const answer = await router.score({ body: Buffer.alloc(1_000) });
      if (answer.errorCode !== '') throw new Error(answer.errorReason);
      times.push(performance.now() - startedMs);
    }
  };
  await Promise.all(Array.from({ length: 32 }, caller));
  return { p99: times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? 0, router };
}

it('a mirror that hangs fills its bounded queue and drops the rest; no live call fails or waits for it', async () => {
  await liveP99({ luca: 50 });
  const without: number[] = [];
  const hung: Awaited<ReturnType<typeof liveP99>>[] = [];
  for (let round = 0; round < 4; round += 1) {
    without.push((await liveP99({})).p99);
    hung.push(await liveP99({ luca: 50 }));
  }
  // The best of several rounds: what else the machine does at the time says nothing about the router.
  const [best, bestHung] = [Math.min(...without), Math.min(...hung.map(({ p99 }) => p99))];
  console.log(
    `hung mirror: live p99 ${bestHung.toFixed(2)} ms, without mirror ${best.toFixed(2)} ms, ratio ${(bestHung / best).toFixed(2)}`,
  );
  for (const { router } of hung) {
    expect(report(router)?.sent).toBe(16);
    expect(report(router)?.dropped).toBeGreaterThan(500);
  }
  // Goal 1.1; the bound leaves room for a loaded machine. A live call that waited for the mirror would take 5,000 ms.
  expect(bestHung).toBeLessThan(best * 2 + 10);
});

it('drops copies when a deployment has no instance, when they hold too many bytes, and when the live caller left', async () => {
  const router = testRouter({ record: routing({ mirrorTraffic: { luca: 50 } }), random: () => 0 });
  const martina = router.instance('martina', new FakeInstance('m1'));
  await router.score();
  await eventually(() => router.events.includes('dropped luca no_instance'));
  router.instance('luca', new FakeInstance('l1'));
  await router.score({ body: Buffer.alloc(2 ** 20 + 1) });
  await eventually(() => router.events.includes('dropped luca bytes'));
  const gone = new AbortController();
  martina.answer = () => {
    gone.abort();
    return hang();
  };
  expect(await router.score({}, gone.signal)).toMatchObject({ errorCode: 'cancelled' });
  await eventually(() => router.events.includes('dropped luca cancelled'));
  expect(report(router)).toMatchObject({ dropped: 3, compared: { failed: 0 } });
});
