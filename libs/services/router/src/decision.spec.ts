import { expect, it } from 'vitest';
import { FakeInstance, instanceRecord, jsonReply, lost, routing } from './testing/fake-instance.ts';
import { testRouter } from './testing/test-router.ts';

const digest = 'a'.repeat(64);

it('tells which slot of the traffic table was drawn, and that none was where the caller named a deployment', async () => {
  const random = [0, 0.899, 0.9, 0.999].values();
  const router = testRouter({
    record: routing({ traffic: { martina: 90, luca: 10 } }),
    random: () => random.next().value ?? 0,
  });
  router.instance('martina', new FakeInstance('m1'));
  router.instance('luca', new FakeInstance('l1'));
  const told: unknown[] = [];
  for (let call = 0; call < 4; call += 1) {
    const { deployment, pick, trafficSlotPlusOne } = await router.score();
    told.push([deployment, pick, trafficSlotPlusOne]);
  }
  expect(told).toEqual([
    ['martina', 'weight', 1],
    ['martina', 'weight', 90],
    ['luca', 'weight', 91],
    ['luca', 'weight', 100],
  ]);
  expect(await router.score({ deployment: 'luca' })).toMatchObject({ pick: 'pin', trafficSlotPlusOne: 0 });
});

it('tells the rule and the slot of a call that was refused as well', async () => {
  const router = testRouter({ random: () => 0.42 });
  const answer = await router.score();
  expect(answer).toMatchObject({
    errorReason: 'NO_INSTANCE',
    deployment: 'martina',
    pick: 'weight',
    trafficSlotPlusOne: 43,
    instanceId: '',
    placement: '',
  });
});

it.each([
  { chosen: 'threads', placement: 'threads' },
  { chosen: 'process', placement: 'process' },
  { chosen: 'inline', placement: 'process' },
] as const)(
  'tells the model and where an instance placed $chosen ran it, and calls its first call so',
  async (given) => {
    const router = testRouter();
    const fake = new FakeInstance('m1');
    router.instance('martina', fake);
    router.directory.applyInstance('cars.martina.m1', undefined);
    const placed = { why: '', runUs: 1, chosen: given.chosen };
    const record = { ...instanceRecord('martina', 'm1'), modelDigest: digest, placement: placed };
    fake.closed = false;
    router.directory.applyInstance('cars.martina.m1', record);
    const told = { modelDigest: digest, placement: given.placement, instanceId: 'm1' };
    expect(await router.score()).toMatchObject({ ...told, coldStart: 'first' });
    expect(await router.score()).toMatchObject({ ...told, coldStart: '' });
  },
);

it('says when a call waited for an instance that was not ready', async () => {
  const router = testRouter({ instanceWaitMs: 2_000 });
  const fake = router.instance('martina', new FakeInstance('m1'));
  await router.score();
  fake.connected = false;
  const waiting = router.score();
  await new Promise((resolve) => setImmediate(resolve));
  fake.connected = true;
  expect(await waiting).toMatchObject({ errorCode: '', coldStart: 'waited' });
});

it('counts the instances that a call had taken out of rotation, and its retries', async () => {
  const router = testRouter();
  const broken = router.instance('martina', new FakeInstance('a', () => lost(false)));
  router.instance('martina', new FakeInstance('b'));
  const told: string[] = [];
  while (broken.calls.length < 3) {
    const { instanceId, retries, ejections } = await router.score();
    told.push(`${instanceId} ${retries} ${ejections}`);
  }
  expect(told.filter((text) => text !== 'b 0 0')).toEqual(['b 1 0', 'b 1 0', 'b 1 1']);
  expect(router.events).toContain('ejected martina');
});

it('names the deployments that get a copy', async () => {
  const record = routing({ mirrorTraffic: { luca: 50 } });
  const draws = [0.1, 0.9, 0.1, 0.1].values();
  const router = testRouter({ record, random: () => draws.next().value ?? 0 });
  router.instance('martina', new FakeInstance('m1', () => jsonReply({})));
  router.instance('luca', new FakeInstance('l1', () => jsonReply({})));
  expect((await router.score()).mirrored).toBe('');
  expect((await router.score()).mirrored).toBe('luca');
});
