import { Priority } from '@mooring/contracts/scoring';
import { describe, expect, it } from 'vitest';
import { CallQueue } from './call-queue.ts';
import { OpenCall } from './open-call.ts';
import { scoreCall } from './testing.ts';

const call = (priority: Priority = Priority.PRIORITY_LIVE): OpenCall =>
  new OpenCall(scoreCall('', { priority }), 1_000, 0);

describe('the queue of calls', () => {
  it('keeps the order of arrival, mirrored copies after all live calls', () => {
    const queue = new CallQueue(9);
    const mirrored = [call(Priority.PRIORITY_MIRROR), call(Priority.PRIORITY_MIRROR)];
    const live = [call(), call()];
    for (const one of [mirrored[0], live[0], mirrored[1], live[1]]) if (one) queue.push(one);
    expect([queue.shift(), queue.shift(), queue.shift(), queue.shift()]).toEqual([...live, ...mirrored]);
    expect(queue.shift()).toBeUndefined();
  });

  it('takes no more than its maximum, both kinds counted together', () => {
    const queue = new CallQueue(2);
    expect([call(), call(Priority.PRIORITY_MIRROR), call()].map((one) => queue.push(one))).toEqual([true, true, false]);
    queue.shift();
    expect(queue.push(call())).toBe(true);
  });

  it('lets a call leave, once', () => {
    const queue = new CallQueue(2);
    const [first, second] = [call(), call()];
    queue.push(first);
    queue.push(second);
    expect(queue.remove(first)).toBe(true);
    expect(queue.remove(first)).toBe(false);
    expect(queue.shift()).toBe(second);
  });

  it('serves first what was taken and has come back, oldest first', () => {
    const queue = new CallQueue(9);
    const [a, b, c] = [1, 2, 3].map((at) => new OpenCall(scoreCall(''), 1_000, at)) as [OpenCall, OpenCall, OpenCall];
    queue.push(c);
    queue.putBack(b);
    queue.putBack(a);
    expect(queue.length).toBe(3);
    expect(queue.remove(b)).toBe(true);
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([a, c, undefined]);
  });

  it('serves live calls before mirrored copies that have come back', () => {
    const queue = new CallQueue(9);
    const [copy, live] = [call(Priority.PRIORITY_MIRROR), call()];
    queue.putBack(copy);
    queue.push(live);
    expect([queue.shift(), queue.shift()]).toEqual([live, copy]);
  });

  it('is empty after all have been taken', () => {
    const queue = new CallQueue(3);
    const calls = [call(), call(Priority.PRIORITY_MIRROR)];
    for (const one of calls) queue.push(one);
    expect(queue.takeAll()).toEqual(calls);
    expect(queue.length).toBe(0);
  });
});

describe('a call that is open', () => {
  it('has the shorter of its own deadline and the deployment’s', () => {
    expect(new OpenCall(scoreCall('', { deadlineMs: 50 }), 1_000, 0).limitMs).toBe(50);
    expect(new OpenCall(scoreCall('', { deadlineMs: 5_000 }), 1_000, 0).limitMs).toBe(1_000);
    expect(new OpenCall(scoreCall('', { deadlineMs: 0 }), 1_000, 0).limitMs).toBe(1_000);
  });
});
