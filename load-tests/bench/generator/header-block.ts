/** As much of HPACK (RFC 7541) as a client needs that keeps no header table and reads one field. */

const grpcStatus = Buffer.from('grpc-status');
/** The same name in HPACK's Huffman code. */
const grpcStatusCoded = Buffer.from('9acac8b21234da8f', 'hex');
const huffmanBit = 0x80;

/** Headers as literals that are never put into a table, so that the block is the same for every request. */
export function plainHeaders(headers: Readonly<Record<string, string>>): Buffer {
  return Buffer.concat(
    Object.entries(headers).flatMap(([name, value]) => [Buffer.from([0]), text(name.toLowerCase()), text(value)]),
  );
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1');
  return Buffer.concat([lengthPrefix(bytes.length), bytes]);
}

/** An integer with a prefix of seven bits. */
function lengthPrefix(length: number): Buffer {
  if (length < 127) return Buffer.from([length]);
  const bytes = [127];
  let left = length - 127;
  for (; left >= 128; left = Math.floor(left / 128)) bytes.push((left % 128) | 128);
  return Buffer.from([...bytes, left]);
}

/** The status in a block of trailers; undefined when there is none. */
export function grpcStatusIn(block: Buffer): number | undefined {
  for (const name of [grpcStatus, grpcStatusCoded]) {
    const at = block.indexOf(name);
    if (at < 0) continue;
    const from = at + name.length + 1;
    const prefix = block[from - 1] ?? 0;
    const value = block.subarray(from, from + (prefix & ~huffmanBit));
    return (prefix & huffmanBit) === 0 ? Number(value.toString('latin1')) : decodeDigits(value);
  }
  return undefined;
}

/** Decimal digits in Huffman code: 0 to 2 are the five-bit codes 0 to 2, 3 to 9 the six-bit codes 25 to 31; ones fill up. */
function decodeDigits(bytes: Buffer): number {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  let digits = '';
  for (let at = 0; bits.length - at >= 5;) {
    const five = Number.parseInt(bits.slice(at, at + 5), 2);
    if (five <= 2) {
      digits += five;
      at += 5;
      continue;
    }
    const six = Number.parseInt(bits.slice(at, at + 6).padEnd(6, '1'), 2);
    if (six < 25 || six > 31 || bits.length - at < 6) break;
    digits += six - 22;
    at += 6;
  }
  return digits === '' ? Number.NaN : Number(digits);
}
