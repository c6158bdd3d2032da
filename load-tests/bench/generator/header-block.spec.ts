import { describe, expect, it } from 'vitest';
import { grpcStatusIn, plainHeaders } from './header-block.ts';

const block = (hex: string): Buffer => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const plainName = `0b ${Buffer.from('grpc-status').toString('hex')}`;
const codedName = '88 9acac8b21234da8f';

describe('grpcStatusIn', () => {
  it.each([
    ['plain', `20 00 ${plainName} 01 30`, 0],
    ['plain, two digits', `00 ${plainName} 02 3134`, 14],
    ['a coded name and value', `40 ${codedName} 81 07`, 0],
    ['a coded 8', `40 ${codedName} 81 7b`, 8],
    ['a coded 13', `40 ${codedName} 82 0b3f`, 13],
    ['after other fields', `88 5f 8b 1d75d0620d263d4c4d6564 10 ${codedName} 01 34`, 4],
  ])('reads %s', (_, hex, status) => {
    expect(grpcStatusIn(block(hex))).toBe(status);
  });

  it('is undefined when there is none', () => {
    expect(grpcStatusIn(block('88'))).toBeUndefined();
  });
});

describe('plainHeaders', () => {
  it('writes names in lower case, and long values with their length in several bytes', () => {
    const written = plainHeaders({ TE: 'trailers', authorization: 'x'.repeat(300) });
    expect(written.subarray(0, 13).toString('latin1')).toBe('\0\u0002te\btrailers');
    expect(written.subarray(13, 28).toString('latin1')).toBe('\0\rauthorization');
    expect([...written.subarray(28, 31)]).toEqual([127, 173, 1]);
    expect(written.length).toBe(31 + 300);
  });
});
