import { describe, expect, it } from 'vitest';
import { startProgress } from './progress.ts';

function shown(isTty: boolean, columns = 80) {
  let text = '';
  let now = 0;
  const progress = startProgress({ write: (part) => (text += part), isTty, columns }, () => now);
  return { progress, text: () => text, at: (ms: number) => (now = ms) };
}

describe('progress', () => {
  it('writes each new step on a line of its own where no terminal is', () => {
    const { progress, text, at } = shown(false);
    progress.step({ step: 'uploading', percentComplete: 10 });
    progress.step({ step: 'uploading', percentComplete: 90 });
    at(2000);
    progress.step({ step: 'waiting' });
    progress.end();
    expect(text()).toBe('[0 s] uploading\n[2 s] waiting\n');
  });

  it('rewrites one line on a terminal, no wider than it, and removes it at the end', () => {
    const { progress, text } = shown(true, 30);
    progress.step({ step: 'x'.repeat(100), percentComplete: 50 });
    progress.end();
    expect(text()).toBe(`\r\x1b[K${'x'.repeat(29)}\r\x1b[K`);
  });
});
