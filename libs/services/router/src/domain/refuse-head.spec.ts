import { expect, it } from 'vitest';
import { Operation, Priority } from '@mooring/contracts/scoring';
import type { CallHead } from '@mooring/scoring-stream';
import { FakeInstance, hang, routing } from '../testing/fake-instance.ts';
import { testRouter, type TestRouter } from '../testing/test-router.ts';

/** Deployments martina and luca with room for two calls each; `full` of them have no room left. */
function routerWith(full: readonly string[], changes: Parameters<typeof routing>[0] = {}): TestRouter {
  const record = routing({ traffic: { martina: 60, luca: 40 }, ...changes });
  for (const route of Object.values(record.deployments)) route.maxConcurrentRequestsPerInstance = 1;
  const router = testRouter({ record });
  for (const name of ['martina', 'luca']) router.instance(name, new FakeInstance(name, hang));
  for (const deployment of full) for (let call = 0; call < 2; call += 1) void router.score({ deployment });
  return router;
}

const head = (fields: Partial<CallHead> = {}): CallHead => ({
  operation: Operation.OPERATION_INFER,
  endpoint: 'cars',
  deployment: '',
  deadlineMs: 0,
  priority: Priority.PRIORITY_LIVE,
  idempotencyKey: '',
  bodyBytes: 1_000,
  ...fields,
});

it('refuses a call of a deployment that is full before its body is here, says when to come again, and counts it', () => {
  const router = routerWith(['luca']);
  const refused = router.route.refusal?.(head({ deployment: 'Luca' }));
  expect(refused).toMatchObject({
    errorCode: 'resource_exhausted',
    errorReason: 'QUEUE_FULL',
    deployment: 'luca',
    pick: 'pin',
    started: false,
  });
  expect(refused?.retryAfterMs).toBeGreaterThan(0);
  expect(router.events).toContain('rejected QUEUE_FULL');
  expect(router.route.refusal?.(head({ deployment: 'martina' }))).toBeUndefined();
});

it('leaves a call that names no deployment to the draw unless every deployment with traffic is full', () => {
  expect(routerWith(['luca']).route.refusal?.(head())).toBeUndefined();
  expect(routerWith(['luca', 'martina']).route.refusal?.(head())).toMatchObject({ errorReason: 'QUEUE_FULL' });
  expect(
    routerWith(['luca'], { traffic: { luca: 100 }, mirrorTraffic: { martina: 10 } }).route.refusal?.(head()),
  ).toMatchObject({ errorReason: 'QUEUE_FULL', deployment: 'luca', pick: 'weight' });
});

it('looks at the time that the caller gives', () => {
  const router = routerWith([]);
  void router.score({ deployment: 'luca' });
  router.directory.endpoint('cars')?.deployments.get('luca')?.pool.noteServiceTime(300);
  expect(router.route.refusal?.(head({ deployment: 'luca' }))).toBeUndefined();
  expect(router.route.refusal?.(head({ deployment: 'luca', deadlineMs: 200 }))).toMatchObject({
    errorReason: 'DEADLINE_UNREACHABLE',
  });
});

it.each([
  { why: 'an endpoint that is not there', fields: { endpoint: 'nope' } },
  { why: 'a deployment that is not there', fields: { deployment: 'nope' } },
])('says nothing of $why: that has an answer of its own', ({ fields }) => {
  expect(routerWith(['luca', 'martina']).route.refusal?.(head(fields))).toBeUndefined();
});

it('says nothing of a deployment whose cache may have the answer', () => {
  const record = routing({ names: ['luca'], traffic: { luca: 100 } });
  const { luca } = record.deployments;
  if (luca === undefined) throw new Error('no route');
  const deployments = { luca: { ...luca, singleFlight: true } };
  expect(routerWith(['luca'], { deployments, traffic: { luca: 100 } }).route.refusal?.(head())).toBeUndefined();
});
