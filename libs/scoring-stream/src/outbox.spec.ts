import { describe, expect, it } from 'vitest';
import { CallLengths } from './call-lengths.ts';
import { Outbox } from './outbox.ts';

/** An outbox over a list of texts, one message for all that wait; the transport takes them when told. */
function outbox(): { box: Outbox; waiting: string[]; sent: string[]; taken(): void } {
  const waiting: string[] = [];
  const sent: string[] = [];
  let done: () => void = () => undefined;
  const box = new Outbox(
    () => (waiting.length === 0 ? undefined : Buffer.from(waiting.splice(0).join(' '))),
    (message, whenDone) => {
      sent.push(message.toString());
      done = whenDone;
    },
  );
  return { box, waiting, sent, taken: () => done() };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const tick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

describe('what is to be said on a stream', () => {
  it('waits for what else comes in this turn of the event loop', async () => {
    const { box, waiting, sent } = outbox();
    waiting.push('first');
    box.wake();
    await tick();
    expect(sent).toEqual([]);
    waiting.push('second');
    box.wake();
    await turn();
    expect(sent).toEqual(['first second']);
  });

  it('leaves in this turn when it is not to wait, with what was said by then', async () => {
    const { box, waiting, sent } = outbox();
    waiting.push('first');
    box.wake(true);
    waiting.push('second');
    box.wake(true);
    expect(sent).toEqual([]);
    await tick();
    expect(sent).toEqual(['first second']);
  });

  it('gathers while a message is under way, whether it is to wait or not', async () => {
    const { box, waiting, sent, taken } = outbox();
    waiting.push('first');
    box.wake(true);
    await tick();
    for (const text of ['second', 'third']) {
      waiting.push(text);
      box.wake(true);
      await turn();
    }
    expect(sent).toEqual(['first']);
    taken();
    expect(sent).toEqual(['first', 'second third']);
  });
});

describe('the calls of a stream', () => {
  const took = (computeUs: number) => ({
    timing: { totalUs: computeUs, queueUs: 0, batchWaitUs: 0, preprocessUs: 0, computeUs, postprocessUs: 0 },
  });

  it('are long when most of the latest were, and short before anything is known', () => {
    const lengths = new CallLengths();
    expect(lengths.long).toBe(false);
    lengths.note(took(20_000));
    expect(lengths.long).toBe(false);
    for (let call = 0; call < 10; call += 1) lengths.note(took(20_000));
    expect(lengths.long).toBe(true);
    for (let call = 0; call < 20; call += 1) lengths.note(took(100));
    expect(lengths.long).toBe(false);
  });

  it('that came to no run say nothing of their length', () => {
    const lengths = new CallLengths();
    for (let call = 0; call < 10; call += 1) lengths.note(took(20_000));
    for (let call = 0; call < 50; call += 1) lengths.note({ timing: undefined });
    expect(lengths.long).toBe(true);
  });
});
