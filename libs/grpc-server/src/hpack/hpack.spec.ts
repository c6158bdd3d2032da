import { describe, expect, it } from 'vitest';
import { HeaderDecoder } from './header-decoder.ts';
import { indexedField, literalField } from './header-literals.ts';
import { decodeHuffman } from './huffman.ts';

const most = 16_384;
const hex = (text: string): Buffer => Buffer.from(text.replaceAll(' ', ''), 'hex');

describe('a header decoder', () => {
  it('reads the requests of RFC 7541, C.3, whose later ones refer to the table', () => {
    const decoder = new HeaderDecoder();
    const read = (text: string): string[] => decoder.decode(hex(text), most).fields;
    const start = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'www.example.com'];
    expect(read('8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d')).toEqual(start);
    expect(read('8286 84be 5808 6e6f 2d63 6163 6865')).toEqual([...start, 'cache-control', 'no-cache']);
    expect(read('8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65')).toEqual([
      ':method',
      'GET',
      ':scheme',
      'https',
      ':path',
      '/index.html',
      ':authority',
      'www.example.com',
      'custom-key',
      'custom-value',
    ]);
  });

  it('reads the same requests in Huffman code, C.4', () => {
    const decoder = new HeaderDecoder();
    const read = (text: string): string[] => decoder.decode(hex(text), most).fields;
    expect(read('8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff').at(-1)).toBe('www.example.com');
    expect(read('8286 84be 5886 a8eb 1064 9cbf').at(-1)).toBe('no-cache');
    expect(read('8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf').slice(-2)).toEqual([
      'custom-key',
      'custom-value',
    ]);
  });

  it('evicts the oldest entries when the table is full', () => {
    const decoder = new HeaderDecoder();
    const filler = (n: number): Buffer => indexedField(`name-${n}`, 'x'.repeat(1_000));
    decoder.decode(Buffer.concat([0, 1, 2, 3, 4].map(filler)), 100_000);
    // Three of 1,038 bytes fit into 4,096.
    expect(decoder.decode(Buffer.from([0xbe, 0xbf, 0xc0]), most).fields.filter((_, at) => at % 2 === 0)).toEqual([
      'name-4',
      'name-3',
      'name-2',
    ]);
    expect(() => decoder.decode(Buffer.from([0xc1]), most)).toThrow('beyond the table');
  });

  it('keeps the table right when a list is larger than the limit', () => {
    const decoder = new HeaderDecoder();
    const large = Buffer.concat([literalField('a', 'x'.repeat(500)), indexedField('kept', 'yes')]);
    expect(decoder.decode(large, 100)).toEqual({ fields: [], tooLarge: true });
    expect(decoder.decode(Buffer.from([0xbe]), most)).toEqual({ fields: ['kept', 'yes'], tooLarge: false });
  });

  it('reads back what the literals write, also long ones', () => {
    for (const length of [0, 1, 126, 127, 128, 254, 255, 383, 5_000, 16_000]) {
      const value = 'v'.repeat(length);
      expect(new HeaderDecoder().decode(literalField('some-name', value), 100_000).fields).toEqual([
        'some-name',
        value,
      ]);
    }
  });

  it.each([
    ['80', 'index 0'],
    ['ff ff ff ff ff ff 0f', 'an integer that does not end'],
    ['be', 'beyond the table'],
    ['00', 'a string that is not there'],
    ['00 05 61', 'longer than its block'],
    ['00 01 61 ff ff ff ff 7f', 'longer than its block'],
    ['3f e2 1f', 'more than 4096'],
    ['82 20', 'after the first field'],
    ['20 20 20', 'after the first field'],
    ['00 01 61 84 ff ff ff ff', 'no Huffman code'],
    ['00 01 61 81 00', 'no Huffman code'],
  ])('refuses %s: %s', (text, why) => {
    expect(() => new HeaderDecoder().decode(hex(text), most)).toThrow(why);
  });
});

describe('Huffman code', () => {
  it('ends in at most 7 one bits', () => {
    // 'a' is 00011: with three ones it is whole, with zeros or a byte more it is not.
    expect(decodeHuffman(hex('1f'), 0, 1)).toBe('a');
    expect(decodeHuffman(hex('18'), 0, 1)).toBeUndefined();
    expect(decodeHuffman(hex('1f ff'), 0, 2)).toBeUndefined();
  });
});
