import { eventually } from '@mooring/testing';
import { expect, it } from 'vitest';
import { Deadlines } from './deadlines.ts';
import { OpenCall } from './open-call.ts';
import { scoreCall } from './testing.ts';

it('deadlines are noticed once each, in whatever order the calls came, and not for those that are closed', async () => {
  const open = new Set<OpenCall>();
  const due: string[] = [];
  const names = new Map<OpenCall, string>();
  const deadlines = new Deadlines(open, (one) => due.push(names.get(one) ?? ''));
  const start = (name: string, deadlineMs: number): OpenCall => {
    const one = new OpenCall(scoreCall('', { deadlineMs }), 10_000, performance.now());
    names.set(one, name);
    open.add(one);
    deadlines.watch(one);
    return one;
  };
  start('late', 60);
  const closed = start('closed', 20);
  start('soon', 30);
  start('never', 9_000);
  open.delete(closed);
  await eventually(() => expect(due).toEqual(['soon', 'late']));
  const again = start('again', 20);
  await eventually(() => expect(due).toEqual(['soon', 'late', 'again']));
  expect(again.dueMs).toBe(Infinity);
});
