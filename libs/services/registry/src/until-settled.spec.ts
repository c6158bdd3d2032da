import { describe, expect, it } from 'vitest';
import { untilSettled } from './until-settled.ts';

const open = new AbortController().signal;

describe('untilSettled', () => {
  it('tries again as long as others were faster', async () => {
    let tries = 0;
    const outcome = await untilSettled(open, async () => (++tries < 5 ? undefined : { tries }));
    expect(outcome).toEqual({ tries: 5 });
  });

  it('gives up at last, with an error that may be tried again', async () => {
    await expect(untilSettled(open, async () => undefined)).rejects.toMatchObject({
      code: 'aborted',
      reason: 'CONTENDED',
    });
  });

  it('does not try for a caller who is gone', async () => {
    const gone = new AbortController();
    let tries = 0;
    const attempt = async () => {
      tries += 1;
      gone.abort(new Error('gone'));
      return undefined;
    };
    await expect(untilSettled(gone.signal, attempt)).rejects.toThrow('gone');
    expect(tries).toBe(1);
  });
});
