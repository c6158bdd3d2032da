import { describe, expect, it } from 'vitest';
import type { DeploymentRoute } from '@mooring/domain';
import { reply, type ScoreReply } from '@mooring/scoring-stream';
import { call } from '@mooring/scoring-stream/testing';
import { Directory, type DeploymentEntry } from '../domain/directory.ts';
import { FakeInstance, instanceRecord, jsonReply, lost, routing } from '../testing/fake-instance.ts';
import { testRouter, type TestRouter } from '../testing/test-router.ts';
import { AlikeRequests } from './alike-requests.ts';

function alikeRouter(fields: Partial<DeploymentRoute>, now?: () => number): TestRouter {
  const record = routing({ names: ['martina'] });
  const martina = { ...record.deployments['martina'], ...fields } as DeploymentRoute;
  return testRouter({ record: { ...record, deployments: { martina } }, ...(now === undefined ? {} : { now }) });
}
const cached = { responseCache: { ttlMs: 60_000, bytesMax: 64 * 1024 } };
const body = (text: string) => ({ body: Buffer.from(text) });

/** Answers that wait until the spec lets them go. */
function held(instance: FakeInstance): { release(answer?: ScoreReply): void } {
  const gate = Promise.withResolvers<ScoreReply>();
  instance.answer = () => gate.promise;
  return { release: (answer = jsonReply({ by: instance.id })) => gate.resolve(answer) };
}

describe('a response cache', () => {
  it('answers an identical request with the same bytes and no run; another one runs', async () => {
    const router = alikeRouter(cached);
    const instance = router.instance('martina', new FakeInstance('m1'));
    const first = await router.score(body('a'));
    const second = await router.score({ ...body('a'), requestId: 'other' });
    const third = await router.score(body('b'));
    expect([first.cache, second.cache, third.cache]).toEqual(['miss', 'hit', 'miss']);
    expect(second.body.equals(first.body)).toBe(true);
    expect(second).toMatchObject({ status: 200, contentType: 'application/json', deployment: 'martina', retries: 0 });
    expect(instance.calls).toHaveLength(2);
    expect(router.events.filter((event) => event.startsWith('picked'))).toHaveLength(3);
  });

  it('keeps no failure, no answer that a script calls private, and nothing larger than itself', async () => {
    const router = alikeRouter(cached);
    const instance = router.instance('martina', new FakeInstance('m1'));
    const answers = [
      reply({ status: 500, body: Buffer.from('no') }),
      reply({ status: 200, headers: [{ name: 'Cache-Control', value: 'no-store' }] }),
      reply({ status: 200, headers: [{ name: 'Set-Cookie', value: 'a=b' }] }),
      reply({ status: 200, body: Buffer.alloc(65 * 1024) }),
    ];
    for (const answer of answers) {
      instance.answer = () => ({ ...answer });
      expect([(await router.score()).cache, (await router.score()).cache]).toEqual(['miss', 'miss']);
    }
    expect(instance.calls).toHaveLength(8);
  });

  it('forgets after its time', async () => {
    const clock = { ms: 0 };
    const router = alikeRouter({ responseCache: { ttlMs: 1_000, bytesMax: 64 * 1024 } }, () => clock.ms);
    router.instance('martina', new FakeInstance('m1'));
    await router.score();
    clock.ms = 999;
    expect((await router.score()).cache).toBe('hit');
    clock.ms = 1_000;
    expect((await router.score()).cache).toBe('miss');
  });

  it('never answers with the old model after a roll, not even what the old one was still working on', async () => {
    const router = alikeRouter(cached);
    const old = router.instance('martina', new FakeInstance('old'));
    await router.score(body('kept'));
    const gate = held(old);
    const late = router.score(body('late'));
    const fake = new FakeInstance('new');
    router.instance('martina', fake);
    const record = { ...instanceRecord('martina', 'new'), specDigest: 'other' };
    router.directory.applyInstance('cars.martina.new', record);
    router.directory.applyInstance('cars.martina.old', { ...instanceRecord('martina', 'old'), state: 'draining' });
    gate.release();
    expect((await late).body.toString()).toContain('old');
    for (const text of ['kept', 'late']) {
      const answer = await router.score(body(text));
      expect([answer.cache, answer.body.toString()]).toEqual(['miss', '{"by":"new"}']);
    }
  });

  it('answers while no instance is there, and goes on with one of the same spec', async () => {
    const router = alikeRouter(cached);
    router.instance('martina', new FakeInstance('m1'));
    await router.score();
    router.directory.applyInstance('cars.martina.m1', undefined);
    expect((await router.score()).cache).toBe('hit');
    router.instance('martina', new FakeInstance('m2'));
    expect((await router.score()).cache).toBe('hit');
  });

  it('of a deployment that was deleted is let go of, also when one of its name is there again', async () => {
    const alike = new AlikeRequests({ now: () => 0, bytesMax: 2 ** 20, note: () => {} });
    const directory = new Directory(() => new FakeInstance('m1'));
    const record = routing({ names: ['martina'] });
    const martina = { ...record.deployments['martina'], ...cached } as DeploymentRoute;
    const targets = [1, 2].map((revision) => {
      directory.applyRouting('cars', undefined, revision);
      directory.applyRouting('cars', { ...record, deployments: { martina } }, revision);
      return directory.endpoint('cars')?.deployments.get('martina') as DeploymentEntry;
    });
    const never = new AbortController().signal;
    for (const target of targets) await alike.answer(target, call(), never, async () => jsonReply({ by: 'it' }));
    expect(alike.held().map(({ bytes }) => bytes > 0)).toEqual([true, true]);
    alike.forget((target) => target === targets[1]);
    expect(alike.held().map(({ target }) => target === targets[1])).toEqual([true]);
  });

  it('begins anew when its settings change, and ends when it is turned off', async () => {
    const router = alikeRouter(cached);
    router.instance('martina', new FakeInstance('m1'));
    await router.score();
    const record = routing({ names: ['martina'] });
    const martina = record.deployments['martina'] as DeploymentRoute;
    const changed = { ...martina, responseCache: { ttlMs: 1_000, bytesMax: 64 * 1024 } };
    router.directory.applyRouting('cars', { ...record, deployments: { martina: changed } }, 2);
    expect((await router.score()).cache).toBe('miss');
    router.directory.applyRouting('cars', record, 3);
    expect((await router.score()).cache).toBe('');
  });
});

describe('single flight', () => {
  const single = { singleFlight: true };

  it('runs identical requests that are in flight once, and others by themselves', async () => {
    const router = alikeRouter(single);
    const instance = router.instance('martina', new FakeInstance('m1'));
    const gate = held(instance);
    const same = Array.from({ length: 20 }, () => router.score(body('a')));
    const other = router.score(body('b'));
    await expect.poll(() => instance.calls.length).toBe(2);
    gate.release();
    const answers = await Promise.all(same);
    expect(answers.map(({ cache }) => cache).toSorted()).toEqual(['miss', ...Array<string>(19).fill('shared')]);
    expect(new Set(answers.map((answer) => answer.body.toString())).size).toBe(1);
    expect((await other).cache).toBe('miss');
    expect(instance.calls).toHaveLength(2);
    expect((await router.score(body('a'))).cache).toBe('miss');
  });

  it('goes on for the others when the first leaves, and is cancelled when all have left', async () => {
    const router = alikeRouter(single);
    const instance = router.instance('martina', new FakeInstance('m1'));
    const gate = held(instance);
    const [first, second] = [new AbortController(), new AbortController()];
    const gone = router.score(body('a'), first.signal);
    const stays = router.score(body('a'), second.signal);
    await expect.poll(() => instance.calls.length).toBe(1);
    first.abort();
    expect((await gone).errorCode).toBe('cancelled');
    gate.release();
    expect((await stays).errorCode).toBe('');
    expect(instance.calls).toHaveLength(1);

    let aborted = 0;
    instance.answer = (_call, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(((aborted += 1), jsonReply({})))));
    const last = new AbortController();
    const alone = router.score(body('c'), last.signal);
    await expect.poll(() => instance.calls.length).toBe(2);
    last.abort();
    expect((await alone).errorCode).toBe('cancelled');
    await expect.poll(() => aborted).toBe(1);
  });

  it('does not go on for a caller that had left before its run began', async () => {
    const router = alikeRouter(single);
    const instance = router.instance('martina', new FakeInstance('m1'));
    let aborted = 0;
    instance.answer = (_call, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(((aborted += 1), lost(true)))));
    // So large that its digest takes a few turns.
    const caller = new AbortController();
    const left = router.score({ body: Buffer.alloc(2 ** 20) }, caller.signal);
    caller.abort();
    expect((await left).errorCode).toBe('cancelled');
    await expect.poll(() => aborted === instance.calls.length).toBe(true);
    instance.answer = () => jsonReply({ by: 'again' });
    expect((await router.score({ body: Buffer.alloc(2 ** 20) })).errorCode).toBe('');
  });

  it('lets everybody wait for as long as its own deadline allows', async () => {
    const router = alikeRouter(single);
    const instance = router.instance('martina', new FakeInstance('m1'));
    const gate = held(instance);
    const hasty = router.score({ ...body('a'), deadlineMs: 30 });
    const patient = router.score({ ...body('a'), deadlineMs: 5_000 });
    expect((await hasty).errorCode).toBe('deadline_exceeded');
    gate.release();
    expect((await patient).errorCode).toBe('');
    expect(instance.calls).toHaveLength(1);
  });

  it('runs again, once for all, when the shared run was lost', async () => {
    const router = alikeRouter(single);
    const instance = router.instance('martina', new FakeInstance('m1'));
    const gate = held(instance);
    const all = Array.from({ length: 5 }, () => router.score(body('a')));
    await expect.poll(() => instance.calls.length).toBe(1);
    instance.answer = () => jsonReply({ by: 'again' });
    gate.release(lost(true));
    const reasons = (await Promise.all(all)).map(({ errorReason }) => errorReason);
    expect(reasons).toEqual(['INSTANCE_LOST', '', '', '', '']);
    expect(instance.calls).toHaveLength(2);
  });
});
