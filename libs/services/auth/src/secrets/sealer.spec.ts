import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { createSealer } from './sealer.ts';

const masterKey = randomBytes(32);
const sealer = createSealer(masterKey);
const plain = Buffer.from('hunter2-and-more', 'utf8');

describe('a sealer', () => {
  it('opens what it sealed, also after a restart with the same master key', () => {
    const sealed = sealer.seal(plain, 'p');
    expect(sealed.startsWith('v1.')).toBe(true);
    expect(createSealer(masterKey).open(sealed, 'p')).toEqual(plain);
    expect(sealer.open(sealer.seal(Buffer.alloc(0), 'p'), 'p')).toHaveLength(0);
  });

  it('never seals the same text twice alike, and hides it', () => {
    const [one, two] = [sealer.seal(plain, 'p'), sealer.seal(plain, 'p')];
    expect(one).not.toBe(two);
    expect(Buffer.from(one.slice(3), 'base64url').includes(plain)).toBe(false);
  });

  it.each([
    ['another purpose', (sealed: string) => sealer.open(sealed, 'q')],
    ['another master key', (sealed: string) => createSealer(randomBytes(32)).open(sealed, 'p')],
    ['a changed character', (sealed: string) => sealer.open(swapAt(sealed, 20), 'p')],
    ['a changed tag', (sealed: string) => sealer.open(swapAt(sealed, sealed.length - 4), 'p')],
    ['text cut short', (sealed: string) => sealer.open(sealed.slice(0, 12), 'p')],
    ['another version', (sealed: string) => sealer.open(sealed.replace('v1', 'v2'), 'p')],
    ['nothing', () => sealer.open('', 'p')],
  ])('refuses %s without telling anything of the text', (_what, open) => {
    const sealed = sealer.seal(plain, 'p');
    expect(() => open(sealed)).toThrow(expect.objectContaining({ code: 'failed_precondition', reason: 'SEAL_BROKEN' }));
  });
});

function swapAt(text: string, index: number): string {
  return text.slice(0, index) + (text[index] === 'A' ? 'B' : 'A') + text.slice(index + 1);
}
