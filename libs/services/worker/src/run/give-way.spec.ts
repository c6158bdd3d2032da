import { describe, expect, it } from 'vitest';
import { GiveWay } from './give-way.ts';

const never = new AbortController().signal;

function entering(places: number, taken: { now: number }, patienceMs = 3_600_000) {
  const order: number[] = [];
  const giveWay = new GiveWay({ places, taken: () => taken.now, patienceMs });
  const enter = async (number: number, signal = never): Promise<(() => void) | undefined> => {
    const leave = await giveWay.enter(signal);
    if (leave !== undefined) order.push(number);
    return leave;
  };
  return { giveWay, enter, order };
}

describe('giving way', () => {
  it('lets as many begin as there are places, in their order', async () => {
    const { enter, order } = entering(2, { now: 0 });
    const leaves = [1, 2, 3, 4].map((number) => enter(number));
    const leave = await leaves[0];
    await leaves[1];
    expect(order).toEqual([1, 2]);
    leave?.();
    await leaves[2];
    expect(order).toEqual([1, 2, 3]);
  });

  it('keeps places free that others need, and takes them again when they do not', async () => {
    const taken = { now: 1.4 };
    const { giveWay, enter, order } = entering(2, taken);
    const leaves = [1, 2].map((number) => enter(number));
    await leaves[0];
    giveWay.look();
    expect(order).toEqual([1]);
    taken.now = 0.4;
    giveWay.look();
    await leaves[1];
    expect(order).toEqual([1, 2]);
  });

  it('lets one begin in the end however busy it is, and the next one not at once', async () => {
    const { giveWay, enter, order } = entering(2, { now: 50 }, 30);
    const leaves = [1, 2].map((number) => enter(number));
    const looking = setInterval(() => giveWay.look(), 5);
    const began = performance.now();
    (await leaves[0])?.();
    expect(order).toEqual([1]);
    await leaves[1];
    clearInterval(looking);
    expect(performance.now() - began).toBeGreaterThanOrEqual(55);
  });

  it('ends the waiting of whoever leaves, who holds no place', async () => {
    const taken = { now: 9 };
    const { giveWay, enter, order } = entering(1, taken);
    const stop = new AbortController();
    const waiting = enter(1, stop.signal);
    const next = enter(2);
    stop.abort();
    expect(await waiting).toBeUndefined();
    taken.now = 0;
    giveWay.look();
    await next;
    expect(order).toEqual([2]);
    expect(await enter(3, AbortSignal.abort())).toBeUndefined();
  });
});
