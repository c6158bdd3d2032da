import { deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { Inflations, type Inflation } from './inflations.ts';

const mebibyte = 2 ** 20;
const job = (more: Partial<Inflation> = {}): Inflation => ({
  bytes: gzipSync(Buffer.alloc(3 * mebibyte, 'x')),
  format: 'gzip',
  bytesMax: 100 * mebibyte,
  take: () => undefined,
  owner: 'somebody',
  signal: new AbortController().signal,
  ...more,
});

describe('inflations', () => {
  it.each([
    ['gzip', gzipSync],
    ['zlib', deflateSync],
    ['raw', deflateRawSync],
  ] as const)('give back what was packed as %s, of any size, and count every byte of it', async (format, pack) => {
    for (const size of [0, 1, 70_000, 20 * mebibyte]) {
      const plain = Buffer.alloc(size, 'some text of no great interest ');
      let taken = 0;
      const take = (bytes: number): void => void (taken += bytes);
      const got = await new Inflations().inflate(job({ bytes: pack(plain), format, take }));
      expect(got.equals(plain)).toBe(true);
      expect(taken).toBe(size);
    }
  });

  it('take exactly the most that they may, and stop at a byte more', async () => {
    await expect(new Inflations().inflate(job({ bytesMax: 3 * mebibyte }))).resolves.toHaveLength(3 * mebibyte);
    await expect(new Inflations().inflate(job({ bytesMax: 3 * mebibyte - 1 }))).rejects.toMatchObject({
      reason: 'too large',
    });
  });

  it('call malformed what is cut off or no such format', async () => {
    const cut = job().bytes.subarray(0, -9);
    for (const bytes of [cut, Buffer.from('no'), Buffer.alloc(0)]) {
      await expect(new Inflations().inflate(job({ bytes }))).rejects.toMatchObject({ reason: 'malformed' });
    }
  });

  it('stop where there is no more room', async () => {
    let taken = 0;
    const take = (bytes: number): void => {
      if (taken + bytes > mebibyte) throw new Error('full');
      taken += bytes;
    };
    const inflations = new Inflations();
    await expect(inflations.inflate(job({ take }))).rejects.toThrow('full');
    expect(taken).toBeLessThanOrEqual(mebibyte);
    expect(inflations.running).toBe(0);
  });

  it('are few at a time, and an owner of many does not hold up an owner of one', async () => {
    const inflations = new Inflations(3, 2);
    let most = 0;
    const order: string[] = [];
    const take = (): void => void (most = Math.max(most, inflations.running));
    const one = async (owner: string): Promise<void> => {
      await inflations.inflate(job({ owner, take }));
      order.push(owner);
    };
    await Promise.all([...Array.from({ length: 12 }, () => one('many')), one('other'), one('third')]);
    expect(most).toBe(3);
    expect(order.indexOf('third')).toBeLessThan(8);
    expect(inflations.running).toBe(0);
  });

  it('end at once when nobody waits for them any more, at work or not', async () => {
    const inflations = new Inflations(1);
    const gone = new AbortController();
    let taken = 0;
    const take = (): void => {
      taken += 1;
      queueMicrotask(() => gone.abort(new Error('gone')));
    };
    const all = await Promise.allSettled([1, 2, 3].map(() => inflations.inflate(job({ take, signal: gone.signal }))));
    expect(all.map((one) => one.status === 'rejected' && String(one.reason))).toEqual(all.map(() => 'Error: gone'));
    expect(taken).toBe(1);
    await expect(inflations.inflate(job())).resolves.toHaveLength(3 * mebibyte);
  });
});
