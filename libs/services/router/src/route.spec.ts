import { expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { failedReply } from '@mooring/scoring-stream';
import { seeded } from '@mooring/testing';
import { FakeInstance, hang, instanceRecord, jsonReply, lost, routing } from './testing/fake-instance.ts';
import { testRouter } from './testing/test-router.ts';

const failed = (code: 'unavailable' | 'resource_exhausted' | 'internal', reason: string, started: boolean) =>
  failedReply(new PlatformError(code, reason, reason), started);

it('splits 10,000 live calls at 90/10 within 1.5 points and obeys every pin', async () => {
  const router = testRouter({ record: routing({ traffic: { martina: 90, luca: 10 } }), random: seeded(7) });
  const luca = router.instance('luca', new FakeInstance('l1'));
  router.instance('martina', new FakeInstance('m1'));
  for (let i = 0; i < 10_000; i += 1) await router.score();
  const share = luca.calls.length / 100;
  console.log(`90/10 split: luca got ${share.toFixed(2)} % of 10,000`);
  expect(Math.abs(share - 10)).toBeLessThanOrEqual(1.5);

  const pinned = await Promise.all(Array.from({ length: 500 }, () => router.score({ deployment: 'Luca' })));
  expect(pinned.every((answer) => answer.deployment === 'luca' && answer.pick === 'pin')).toBe(true);
});

it.each([
  { why: 'an unknown endpoint', fields: { endpoint: 'nope' }, traffic: { martina: 100 }, reason: 'ENDPOINT_NOT_FOUND' },
  {
    why: 'an unknown deployment',
    fields: { deployment: 'x' },
    traffic: { martina: 100 },
    reason: 'DEPLOYMENT_NOT_FOUND',
  },
  { why: 'no live traffic at all', fields: {}, traffic: {}, reason: 'NO_TRAFFIC' },
])('answers not_found for $why', async ({ fields, traffic, reason }) => {
  const router = testRouter({ record: routing({ traffic }) });
  router.instance('martina', new FakeInstance('m1'));
  const answer = await router.score(fields);
  expect(answer).toMatchObject({ errorCode: 'not_found', errorReason: reason, started: false });
});

it('answers unavailable with a time to try again when a deployment has only starting instances', async () => {
  const router = testRouter();
  router.directory.applyInstance('cars.luca.l1', instanceRecord('luca', 'l1', 'starting'));
  const answer = await router.score({ deployment: 'luca' });
  expect(answer).toMatchObject({ errorCode: 'unavailable', errorReason: 'NO_INSTANCE', retryAfterMs: 1_000 });
  expect(answer.errorMessage).toContain('1 starting');
});

it('gives each call to the instance with the fewest open calls', async () => {
  const router = testRouter();
  const busy = router.instance('martina', new FakeInstance('busy', hang));
  const idle = router.instance('martina', new FakeInstance('idle'));
  const gone = new AbortController();
  const stuck = Array.from({ length: 4 }, () => router.score({}, gone.signal));
  for (let i = 0; i < 20; i += 1) await router.score({}, gone.signal).catch(() => undefined);
  expect(busy.calls.length).toBeLessThanOrEqual(3);
  expect(idle.calls.length).toBeGreaterThanOrEqual(20);
  gone.abort();
  await Promise.all(stuck);
});

it('takes turns between instances that are equally loaded', async () => {
  const router = testRouter();
  const fakes = ['a', 'b', 'c'].map((id) => router.instance('martina', new FakeInstance(id)));
  for (let i = 0; i < 300; i += 1) await router.score();
  expect(fakes.map((fake) => fake.calls.length)).toEqual([100, 100, 100]);
});

it('refuses calls beyond twice the concurrency of the instances, with a time that follows the mean service time', async () => {
  const record = routing();
  const route = record.deployments['martina'];
  if (!route) throw new Error('no route');
  const router = testRouter({
    record: { ...record, deployments: { martina: { ...route, maxConcurrentRequestsPerInstance: 2 } } },
  });
  const fake = router.instance('martina', new FakeInstance('m1', hang));
  const gone = new AbortController();
  const pool = router.directory.endpoint('cars')?.deployments.get('martina')?.pool;
  pool?.noteServiceTime(400);
  const open = Array.from({ length: 4 }, () => router.score({}, gone.signal));
  const refused = await router.score();
  expect(refused).toMatchObject({
    errorCode: 'resource_exhausted',
    errorReason: 'QUEUE_FULL',
    started: false,
    retryAfterMs: 800,
  });
  expect(fake.calls).toHaveLength(4);
  gone.abort();
  expect((await Promise.all(open)).map((answer) => answer.errorCode)).toEqual(Array(4).fill('cancelled'));
  expect(pool?.liveInFlight).toBe(0);
});

it.each([
  { why: 'was lost before the call was sent', answer: () => lost(false), code: '', retries: 1 },
  { why: 'drains', answer: () => failed('unavailable', 'INSTANCE_DRAINING', false), code: '', retries: 1 },
  { why: 'has a full queue', answer: () => failed('resource_exhausted', 'QUEUE_FULL', false), code: '', retries: 1 },
  { why: 'was lost after the model may have started', answer: () => lost(true), code: 'unavailable', retries: 0 },
  {
    why: 'refused for a reason that stays',
    answer: () => failed('internal', 'BROKEN', false),
    code: 'internal',
    retries: 0,
  },
])('when an instance $why: retries = $retries', async ({ answer, code, retries }) => {
  const router = testRouter();
  const fakes = ['a', 'b'].map((id) => router.instance('martina', new FakeInstance(id)));
  const asked: string[] = [];
  for (const fake of fakes) {
    fake.answer = () => {
      asked.push(fake.id);
      return asked.length === 1 ? answer() : jsonReply({});
    };
  }
  const reply = await router.score();
  expect(reply).toMatchObject({ errorCode: code, retries });
  expect(new Set(asked).size).toBe(retries + 1);
});

it('tries at most as many instances as there are, and no more than its limit', async () => {
  const router = testRouter();
  const fakes = Array.from({ length: 8 }, (_, i) =>
    router.instance('martina', new FakeInstance(`i${i}`, () => failed('unavailable', 'INSTANCE_DRAINING', false))),
  );
  const answer = await router.score();
  expect(answer).toMatchObject({ errorReason: 'INSTANCE_DRAINING', retries: 3 });
  expect(fakes.reduce((sum, fake) => sum + fake.calls.length, 0)).toBe(4);
});

it('hands a call that never started to an instance that becomes ready while it waits', async () => {
  const router = testRouter({ instanceWaitMs: 2_000 });
  const old = router.instance('martina', new FakeInstance('old'));
  old.answer = () => {
    old.connected = false;
    queueMicrotask(() => router.instance('martina', new FakeInstance('new')));
    return lost(false);
  };
  expect(await router.score()).toMatchObject({ errorCode: '', instanceId: 'new', retries: 1 });
});

it("answers scoring_timeout for the deployment's limit and deadline_exceeded for the caller's own", async () => {
  const record = routing();
  const route = record.deployments['martina'];
  if (!route) throw new Error('no route');
  const router = testRouter({ record: { ...record, deployments: { martina: { ...route, requestTimeoutMs: 30 } } } });
  const fake = router.instance('martina', new FakeInstance('m1', hang));
  const [own, callers] = await Promise.all([router.score({ deadlineMs: 0 }), router.score({ deadlineMs: 10 })]);
  expect(own).toMatchObject({ errorCode: 'scoring_timeout', errorReason: 'SCORING_TIMEOUT' });
  expect(callers).toMatchObject({ errorCode: 'deadline_exceeded' });
  expect(fake.calls.map((call) => call.deadlineMs)).toEqual([30, 10]);
});

it('ejects an instance after three lost calls in a row, takes it back in time, and never ejects the last one', async () => {
  let now = 0;
  const router = testRouter({ now: () => now });
  const bad = router.instance('martina', new FakeInstance('bad', () => lost(true)));
  const good = router.instance('martina', new FakeInstance('good'));
  for (let i = 0; i < 20; i += 1) await router.score();
  expect(bad.calls).toHaveLength(3);
  expect(router.events.filter((event) => event === 'ejected martina')).toHaveLength(1);

  now = 1_001;
  bad.answer = () => jsonReply({ by: 'bad' });
  for (let i = 0; i < 20; i += 1) await router.score();
  expect(bad.calls).toHaveLength(13);

  good.connected = false;
  bad.answer = () => lost(true);
  for (let i = 0; i < 20; i += 1) await router.score();
  expect(bad.calls).toHaveLength(33);
  expect(router.events.filter((event) => event === 'ejected martina')).toHaveLength(1);
});

it('gives a draining instance no new call and closes its stream with its last open one', async () => {
  const router = testRouter();
  const answer = Promise.withResolvers<ReturnType<typeof jsonReply>>();
  const old = router.instance('martina', new FakeInstance('old', () => answer.promise));
  const open = router.score();
  router.instance('martina', new FakeInstance('new'));
  router.directory.applyInstance('cars.martina.old', instanceRecord('martina', 'old', 'draining'));
  for (let i = 0; i < 5; i += 1) expect((await router.score()).instanceId).toBe('new');
  expect(old.closed).toBe(false);
  answer.resolve(jsonReply({ late: true }));
  expect(await open).toMatchObject({ instanceId: 'old', errorCode: '' });
  expect(old.closed).toBe(true);
});

it('keeps one compiled table until the record changes, and forgets endpoints that are gone', async () => {
  const router = testRouter();
  router.instance('martina', new FakeInstance('m1'));
  const before = router.directory.endpoint('CARS')?.traffic;
  await router.score();
  expect(router.directory.endpoint('cars')?.traffic).toBe(before);
  router.directory.applyRouting('cars', routing({ traffic: { luca: 100 } }), 2);
  expect(router.directory.endpoint('cars')?.traffic).not.toBe(before);
  expect(router.directory.generation).toBe(2);
  router.directory.applyRouting('cars', undefined, 0);
  expect(await router.score()).toMatchObject({ errorReason: 'ENDPOINT_NOT_FOUND' });
});
