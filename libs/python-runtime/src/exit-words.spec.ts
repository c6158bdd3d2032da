import { describe, expect, it } from 'vitest';
import { exitWords } from './exit-words.ts';

describe('how a process ended, in words', () => {
  it.each([
    [0, null, 'exited 0'],
    [3, null, 'exited 3'],
    [null, null, 'exited without a status'],
    [null, 'SIGSEGV', 'was ended by SIGSEGV (segmentation fault, usually in native code)'],
    [null, 'SIGKILL', 'was ended by SIGKILL (killed, often because memory ran out)'],
    [null, 'SIGUSR1', 'was ended by SIGUSR1'],
  ])('says for status %o and signal %o: %s', (code, signal, words) => {
    expect(exitWords(code, signal)).toBe(words);
  });
});
