import { expect, it } from 'vitest';
import { Operation, Priority } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { failedReply, reply, type ScoreReply } from '@mooring/scoring-stream';
import { FakeInstance, jsonReply, lost, routing } from './testing/fake-instance.ts';
import { testRouter, type TestRouter } from './testing/test-router.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

/** A router with deployment martina at `concurrency`, whose instances answer when told. */
function heldRouter(concurrency: number, ids: readonly string[] = ['m1']) {
  const clock = { now: 0 };
  const record = routing({ names: ['martina'] });
  const route = record.deployments['martina'];
  if (!route) throw new Error('no route');
  const deployments = { martina: { ...route, maxConcurrentRequestsPerInstance: concurrency } };
  const router = testRouter({ record: { ...record, deployments }, now: () => clock.now });
  const pending: ((answer: ScoreReply) => void)[] = [];
  const fakes = ids.map((id) =>
    router.instance('martina', new FakeInstance(id, () => new Promise((resolve) => pending.push(resolve)))),
  );
  const answer = async (answerOf = jsonReply({})): Promise<void> => {
    pending.shift()?.(answerOf);
    await settled();
  };
  return { router, clock, fakes, answer, pending };
}

const poolOf = (router: TestRouter) => router.directory.endpoint('cars')?.deployments.get('martina')?.pool;

it('refuses at once, without asking an instance, what cannot be answered in its time', async () => {
  const { router, clock, fakes, answer } = heldRouter(2);
  const open: Promise<ScoreReply>[] = [router.score(), router.score()];
  for (let call = 0; call < 10; call += 1) {
    open.push(router.score());
    await settled();
    clock.now += 100;
    await answer();
  }
  expect(poolOf(router)?.progress.gapMs).toBeCloseTo(100, 0);
  const asked = fakes[0]?.calls.length;
  const refused = await router.score({ deadlineMs: 200 });
  expect(refused).toMatchObject({
    errorCode: 'unavailable',
    errorReason: 'DEADLINE_UNREACHABLE',
    started: false,
    retryAfterMs: 100,
  });
  expect(fakes[0]?.calls).toHaveLength(asked ?? 0);
  const taken = router.score({ deadlineMs: 400 });
  for (let call = 0; call < 4; call += 1) await answer();
  expect((await taken).errorCode).toBe('');
  await Promise.all(open);
  expect(poolOf(router)).toMatchObject({ liveInFlight: 0, bytesInFlight: 0 });
});

it('counts as waiting what an instance does not work on at once, whatever the deployment lets it have', async () => {
  const { router, clock, fakes, answer } = heldRouter(256);
  if (fakes[0]) fakes[0].parallelNow = 2;
  const open = [router.score(), router.score()];
  for (let call = 0; call < 10; call += 1) {
    open.push(router.score());
    await settled();
    clock.now += 50;
    await answer();
  }
  expect(poolOf(router)?.progress.gapMs).toBeCloseTo(50, 0);
  expect(await router.score({ deadlineMs: 120 })).toMatchObject({ errorReason: 'DEADLINE_UNREACHABLE' });
  for (let call = 0; call < 2; call += 1) await answer();
  expect((await Promise.all(open)).every(({ errorCode }) => errorCode === '')).toBe(true);
});

it('lets through what only describes a model, however long its queue', async () => {
  const { router, answer } = heldRouter(1);
  poolOf(router)?.noteServiceTime(10_000);
  const open = router.score();
  const described = router.score({ operation: Operation.OPERATION_METADATA, deadlineMs: 100 });
  await settled();
  await answer();
  await answer();
  expect((await described).errorCode).toBe('');
  await open;
});

it('says with every deadline when to come again', async () => {
  const { router, answer } = heldRouter(1);
  poolOf(router)?.noteServiceTime(300);
  const late = await router.score({ deadlineMs: 20 });
  expect(late).toMatchObject({ errorCode: 'deadline_exceeded', errorReason: 'DEADLINE_EXCEEDED' });
  expect(late.retryAfterMs).toBeGreaterThanOrEqual(50);
  await answer();
});

it('does not give an instance what expired on the way', async () => {
  const { router, clock, fakes } = heldRouter(1);
  if (fakes[0]) fakes[0].connected = false;
  const waiting = router.score({ deadlineMs: 40 });
  clock.now = 41;
  if (fakes[0]) fakes[0].connected = true;
  expect(await waiting).toMatchObject({ errorCode: 'deadline_exceeded', started: false });
  expect(fakes[0]?.calls).toHaveLength(0);
});

it('gives batch calls what live ones leave, and no place to wait', async () => {
  const { router, answer } = heldRouter(2);
  const open = [router.score(), router.score({ priority: Priority.PRIORITY_BATCH })];
  const refused = await router.score({ priority: Priority.PRIORITY_BATCH });
  expect(refused).toMatchObject({ errorCode: 'unavailable', errorReason: 'BATCH_YIELDS', started: false });
  expect(refused.retryAfterMs).toBeGreaterThan(0);
  open.push(router.score(), router.score());
  expect(await router.score()).toMatchObject({ errorCode: 'resource_exhausted', errorReason: 'QUEUE_FULL' });
  await settled();
  for (let call = 0; call < 4; call += 1) await answer();
  expect((await Promise.all(open)).map((one) => one.errorCode)).toEqual(['', '', '', '']);
});

/** An answer that took `ms` in the model. */
const took = (ms: number): ScoreReply =>
  reply({
    status: 200,
    timing: {
      totalUs: ms * 1_000,
      queueUs: 0,
      batchWaitUs: 0,
      preprocessUs: 0,
      computeUs: ms * 1_000,
      postprocessUs: 0,
    },
  });

it('steers calls away from an instance that got slow, never below what it runs at once, and prints the limit', async () => {
  let now = 0;
  const record = routing({ names: ['martina'] });
  const route = record.deployments['martina'];
  if (!route) throw new Error('no route');
  const deployments = { martina: { ...route, maxConcurrentRequestsPerInstance: 8 } };
  const router = testRouter({ record: { ...record, deployments }, now: () => now });
  let slowMs = 20;
  const slow = router.instance('martina', new FakeInstance('slow', () => took(slowMs)));
  const good = router.instance('martina', new FakeInstance('good', () => took(20)));
  const round = async (): Promise<void> => {
    const calls = Array.from({ length: 16 }, () => router.score());
    now += 20;
    await Promise.all(calls);
  };
  for (let turn = 0; turn < 60; turn += 1) await round();
  const pool = poolOf(router);
  expect(pool?.bearable(8)).toBe(32);
  slowMs = 200;
  for (let turn = 0; turn < 40; turn += 1) await round();
  expect(pool?.slots[0]?.limit.current(16)).toBeLessThanOrEqual(4);
  expect(pool?.bearable(8)).toBe(8 + 16);
  const [before, goodBefore] = [slow.calls.length, good.calls.length];
  await round();
  expect(slow.calls.length - before).toBeLessThanOrEqual(4);
  expect(good.calls.length - goodBefore).toBeGreaterThanOrEqual(12);
});

it('retries a tenth of what was refused for lack of room, but always what an instance handed back', async () => {
  const busy = failedReply(new PlatformError('resource_exhausted', 'QUEUE_FULL', 'full'), false);
  const router = testRouter();
  const fakes = ['a', 'b'].map((id) => router.instance('martina', new FakeInstance(id, () => busy)));
  const asked = (): number => fakes.reduce((sum, fake) => sum + fake.calls.length, 0);
  for (let call = 0; call < 1_000; call += 1) await router.score();
  expect(asked()).toBeGreaterThan(1_090);
  expect(asked()).toBeLessThanOrEqual(1_111);
  expect(router.events.filter((event) => event === 'retry denied martina').length).toBeGreaterThan(850);

  const [first, second] = fakes as [FakeInstance, FakeInstance];
  first.answer = () => lost(false);
  second.answer = () => jsonReply({});
  for (let call = 0; call < 200; call += 1) expect((await router.score()).errorCode).toBe('');
});
