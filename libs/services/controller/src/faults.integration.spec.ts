import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { kvKey, type InstanceRecord } from '@mooring/domain';
import { identify } from '@mooring/runtime';
import { eventually } from '@mooring/testing';
import { endpointSpec } from '@mooring/domain/testing';
import { irisSpec } from './testing/specs.ts';
import { irisModel, startTestGround, type TestGround } from './testing/test-ground.ts';

let ground: TestGround;
const answered = { code: 0, details: '' };
const stopMs = 1_500;
const secret = 'a-value-that-nobody-may-read';

const only = async (): Promise<InstanceRecord> => {
  const [record, ...more] = await ground.instances('flowers', 'blue');
  if (record === undefined || more.length > 0) throw new Error(`${more.length + 1} instances`);
  return record;
};
const replaced = (before: InstanceRecord): Promise<InstanceRecord> =>
  eventually(
    async () => {
      const now = await only();
      expect(now).toMatchObject({ state: 'ready' });
      expect(now.id).not.toBe(before.id);
      return now;
    },
    { timeoutMs: 20_000 },
  );
/** The controller knows of an instance a little before routers do. */
const serves = (): Promise<void> =>
  eventually(async () => {
    expect(await ground.score('flowers')).toEqual(answered);
  });
/** How often the deployment was prepared. */
const prepared = async (): Promise<number> =>
  (await ground.logs('flowers', 'blue', 'storage-initializer')).split('prepared:').length - 1;
const processIsGone = (pid: number): Promise<boolean> => eventually(() => identify(pid) === undefined);

beforeAll(async () => {
  ground = await startTestGround({ MOORING_CONTROLLER_STOP_MS: String(stopMs) });
  await ground.addModel('iris/1', irisModel);
  await ground.put('online-endpoint', 'flowers', endpointSpec());
  await ground.put('online-deployment', 'flowers/blue', irisSpec({ environmentVariables: { TOKEN: secret } }));
  await ground.settled('online-deployment', 'flowers/blue');
  await ground.put('online-endpoint', 'flowers', endpointSpec({ traffic: { blue: 100 } }));
  await ground.settled('online-endpoint', 'flowers');
});
afterAll(() => ground.stop());

it('a scorer that is killed is replaced, and the reason is told', async () => {
  const before = await only();
  process.kill(before.pid, 'SIGKILL');
  const after = await replaced(before);
  expect(after.restarts).toBe(1);
  await serves();
  expect(await ground.logs('flowers', 'blue')).toContain('killed from outside');
});

it('a controller that was killed takes its instances over; callers and routers notice nothing', async () => {
  const before = await only();
  const preparations = await prepared();
  const bucket = await ground.store.bucket<InstanceRecord>('mooring_instances');
  const seen: (string | undefined)[] = [];
  const watch = await bucket.watch({}, (_key, entry) => seen.push(entry?.value.state));
  const { failed, sent } = await ground.scoreWhile('flowers', async () => {
    await ground.controller.kill();
    await ground.startController();
    await eventually(async () => {
      expect(await only()).toEqual(before);
    });
    // Only then it knows what should run, and would begin to replace what does.
    await eventually(async () => (await prepared()) > preparations);
    await ground.put('online-endpoint', 'flowers', endpointSpec({ traffic: { blue: 100 }, tags: { again: '1' } }));
    await ground.settled('online-endpoint', 'flowers');
  });
  watch.stop();
  expect(failed).toEqual([]);
  expect(sent).toBeGreaterThan(20);
  expect(new Set(seen)).toEqual(new Set(['ready']));
  expect(await only()).toEqual(before);
});

it('a scorer that ended while no controller was there is replaced by the next one', async () => {
  const before = await only();
  await ground.controller.kill();
  process.kill(before.pid, 'SIGKILL');
  await processIsGone(before.pid);
  await ground.startController();
  await replaced(before);
  await serves();
});

it('an instance that was taken over and ends is replaced as well', async () => {
  const before = await only();
  await ground.controller.kill();
  await ground.startController();
  process.kill(before.pid, 'SIGKILL');
  await replaced(before);
});

it('while the registry is away, instances are looked after', async () => {
  const before = await only();
  await ground.registry.kill();
  process.kill(before.pid, 'SIGKILL');
  await replaced(before);
  await serves();
  await ground.startRegistry();
  await ground.put('online-endpoint', 'flowers', endpointSpec({ traffic: { blue: 100 } }));
  await ground.settled('online-endpoint', 'flowers');
});

it('while auth is away, a new endpoint waits for its keys and says so, and traffic can be changed', async () => {
  await ground.auth.kill();
  await ground.put('online-endpoint', 'plants', endpointSpec());
  await eventually(async () => {
    const waiting = await ground.get('online-endpoint', 'plants');
    expect(waiting).toMatchObject({
      state: 'Creating',
      operation: { step: 'trying again after: the auth service gives no answer just now' },
    });
  });
  await ground.put('online-endpoint', 'flowers', endpointSpec());
  expect(await ground.settled('online-endpoint', 'flowers')).toMatchObject({ state: 'Succeeded' });
  expect((await ground.routing('flowers'))?.traffic).toEqual({});
  await ground.startAuth();
  expect(await ground.settled('online-endpoint', 'plants')).toMatchObject({ state: 'Succeeded' });
  await ground.put('online-endpoint', 'flowers', endpointSpec({ traffic: { blue: 100 } }));
  await ground.settled('online-endpoint', 'flowers');
  await ground.remove('online-endpoint', 'plants');
  await ground.gone('online-endpoint', 'plants');
});

it('while NATS is away, instances are looked after, and what happened is told when it is back', async () => {
  const before = await only();
  const bucket = await ground.store.bucket<InstanceRecord>('mooring_instances');
  await ground.nats.kill();
  expect(await ground.score('flowers')).toEqual(answered);
  process.kill(before.pid, 'SIGKILL');
  const after = await replaced(before);
  await ground.nats.resume();
  await eventually(
    async () => {
      const records = await bucket.list(kvKey('flowers', 'blue'));
      expect([...records.values()].map(({ value }) => value.id)).toEqual([after.id]);
      expect(await ground.score('flowers')).toEqual(answered);
    },
    { timeoutMs: 20_000 },
  );
});

it('an operation goes on after the controller was killed in the middle of it', async () => {
  await ground.put('online-deployment', 'flowers/cut', irisSpec());
  await eventually(async () => (await ground.instances('flowers', 'cut')).length === 1);
  await ground.controller.kill();
  await ground.startController();
  expect(await ground.settled('online-deployment', 'flowers/cut')).toMatchObject({ state: 'Succeeded' });
  expect(await ground.instances('flowers', 'cut')).toHaveLength(1);
  await ground.remove('online-deployment', 'flowers/cut');
  await ground.gone('online-deployment', 'flowers/cut');
});

it('an instance that answers nothing any more is replaced after its liveness probe failed', async () => {
  const before = await only();
  process.kill(before.pid, 'SIGSTOP');
  await replaced(before);
  await processIsGone(before.pid);
  expect(await ground.logs('flowers', 'blue')).toContain('failed its liveness probe 3 times in a row');
});

it('environment variables that were applied are sealed', async () => {
  const bucket = await ground.store.bucket<object>('mooring_applied');
  const applied = await bucket.get(kvKey('flowers', 'blue'));
  expect(applied?.value).toMatchObject({ sealed: expect.any(String), spec: { environmentVariables: {} } });
  expect(JSON.stringify(applied?.value)).not.toContain(secret);
  expect(ground.controllerLog()).not.toContain(secret);
});

it('a controller whose supervisor died leaves its instances running; one that is asked to stop ends them', async () => {
  const before = await only();
  expect(await ground.controller.abandon()).toBe(0);
  expect(identify(before.pid)?.startTicks).toBe(before.startTicks);
  await ground.startController();
  expect(await only()).toEqual(before);
  expect(await ground.controller.stop()).toBe(0);
  expect(identify(before.pid)).toBeUndefined();
  const bucket = await ground.store.bucket<InstanceRecord>('mooring_instances');
  expect([...(await bucket.list()).keys()]).toEqual([]);
  await ground.startController();
  expect((await replaced(before)).pid).not.toBe(before.pid);
});

it('a stop of the platform waits only so long for an instance that does not end', async () => {
  const before = await only();
  process.kill(before.pid, 'SIGSTOP');
  const startedAt = performance.now();
  expect(await ground.controller.stop()).toBe(0);
  expect(performance.now() - startedAt).toBeLessThan(stopMs + 2_000);
  expect(identify(before.pid)).toBeUndefined();
  await ground.startController();
  await replaced(before);
});

it('a deleted endpoint takes everything of it along', async () => {
  await ground.put('online-deployment', 'flowers/green', irisSpec());
  await ground.settled('online-deployment', 'flowers/green');
  const running = await ground.instances('flowers');
  await ground.remove('online-endpoint', 'flowers');
  await ground.gone('online-endpoint', 'flowers');
  expect(await ground.get('online-deployment', 'flowers/blue')).toBeUndefined();
  expect(await ground.get('online-deployment', 'flowers/green')).toBeUndefined();
  for (const { pid } of running) expect(identify(pid)).toBeUndefined();
  for (const name of ['mooring_instances', 'mooring_routing', 'mooring_applied', 'mooring_credentials']) {
    const bucket = await ground.store.bucket<object>(name);
    expect([name, ...(await bucket.list('flowers')).keys(), ...(await bucket.list('endpoint.flowers')).keys()]).toEqual(
      [name],
    );
  }
  const { instances, run } = ground.folder;
  expect(readdirSync(instances).filter((name) => !name.startsWith('.'))).toEqual([]);
  expect(readdirSync(join(instances, '.preparation'))).toEqual([]);
  expect(readdirSync(join(run, 'i'))).toEqual([]);
  for (const { id } of running) {
    for (const tree of ['/sys/fs/cgroup', '/sys/fs/cgroup/memory', '/sys/fs/cgroup/cpu']) {
      const ours = existsSync(tree) ? readdirSync(tree).filter((name) => name.startsWith('mooring-')) : [];
      expect(ours.some((own) => existsSync(join(tree, own, id)))).toBe(false);
    }
  }
});
