import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestNats, type TestNats } from '@mooring/testing';
import type { WorkItem, WorkQueue } from './index.ts';

let server: TestNats;
let queue: WorkQueue<number>;
let other: WorkQueue<number>;

beforeAll(async () => {
  server = await startTestNats();
  const options = { stream: 'work', subjects: 'spec.work', messagesMax: 1_000, ackWaitMs: 1_000 };
  queue = await (await server.connect()).workQueue(options);
  other = await (await server.connect()).workQueue(options);
});

afterAll(() => server.stop());

const take = (lane: string): Promise<WorkItem<number> | undefined> => queue.take(lane, 1_000);

describe('a work queue', () => {
  it('gives each item of a lane to one of those who ask', async () => {
    for (const value of [1, 2, 3]) await queue.push('a', `a${value}`, value);
    await queue.push('b', 'b9', 9);
    const items = await Promise.all([take('a'), take('a'), take('a'), take('b')]);
    expect(items.slice(0, 3).map((item) => item?.value)).toEqual(expect.arrayContaining([1, 2, 3]) as number[]);
    expect(items[3]?.value).toBe(9);
    expect(await queue.count('a')).toEqual({ waiting: 0, taken: 3 });
    for (const item of items) await item?.done();
    expect(await queue.count('a')).toEqual({ waiting: 0, taken: 0 });
    expect(await take('a')).toBeUndefined();
  });

  it('gives an item to another when whoever took it is silent or gives it back, and says how often that was', async () => {
    await queue.push('c', 'c1', 1);
    expect((await take('c'))?.deliveries).toBe(1);
    const second = await queue.take('c', 3_000);
    expect(second?.deliveries).toBe(2);
    second?.giveBack(0);
    const third = await take('c');
    expect(third?.deliveries).toBe(3);
    await third?.done();
  });

  it('keeps an item with whoever says that it is still at work', async () => {
    await queue.push('d', 'd1', 1);
    const item = await take('d');
    const keeping = setInterval(() => item?.keep(), 200);
    const second = await queue.take('d', 2_000);
    clearInterval(keeping);
    expect(second).toBeUndefined();
    await item?.done();
  });

  it('stores what was pushed twice under one id once', async () => {
    await queue.push('e', 'same', 1);
    await queue.push('e', 'same', 1);
    expect((await queue.count('e')).waiting).toBe(1);
  });

  it('forgets a lane that is closed, and takes it up again', async () => {
    await queue.push('f', 'f1', 1);
    await queue.close('f');
    expect(await queue.count('f')).toEqual({ waiting: 0, taken: 0 });
    await queue.push('f', 'f2', 2);
    const item = await take('f');
    expect(item?.value).toBe(2);
    await item?.done();
  });

  it('is taken up again by those who knew it when somebody else has closed it', async () => {
    await queue.push('g', 'g1', 1);
    await (await take('g'))?.done();
    for (const value of [2, 3]) {
      await other.close('g');
      await other.push('g', `g${value}`, value);
      const item = await take('g');
      expect(item?.value).toBe(value);
      await item?.done();
    }
  });
});
