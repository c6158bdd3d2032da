/**
 * Code length of each byte value and of EOS, a base-36 digit each (RFC 7541, appendix B). The code is canonical: codes of
 * one length follow each other in the order of their symbols, so the lengths are the whole code.
 */
const codeLengths =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f565' +
  '65666577666567655677777fbedskmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmp' +
  'qqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu';
const eos = 256;

/**
 * A tree of tables, 256 entries each, indexed by the next 8 bits. An entry is the number of a further table, or, marked by
 * `leaf`, a symbol with the number of its bits in this table.
 */
const leaf = 0x10000;
const tree = buildTree();

function buildTree(): Int32Array {
  const lengths = [...codeLengths].map((digit) => Number.parseInt(digit, 36));
  const order = lengths.map((_, symbol) => symbol).toSorted((a, b) => (lengths[a] ?? 0) - (lengths[b] ?? 0) || a - b);
  const entries: number[] = Array.from({ length: 256 }, () => 0);
  let code = 0;
  let previous = lengths[order[0] ?? 0] ?? 0;
  for (const symbol of order) {
    const length = lengths[symbol] ?? 0;
    code *= 2 ** (length - previous);
    previous = length;
    addCode(entries, symbol, code, length);
    code += 1;
  }
  return Int32Array.from(entries);
}

function addCode(entries: number[], symbol: number, code: number, length: number): void {
  let table = 0;
  let left = length;
  for (; left > 8; left -= 8) {
    const slot = table * 256 + ((code >>> (left - 8)) & 0xff);
    if (entries[slot] === 0) {
      entries[slot] = entries.length / 256;
      entries.push(...Array.from({ length: 256 }, () => 0));
    }
    table = entries[slot] ?? 0;
  }
  const first = (code << (8 - left)) & 0xff;
  for (let n = 0; n < 1 << (8 - left); n += 1) entries[table * 256 + first + n] = leaf | (left << 9) | symbol;
}

let scratch = Buffer.allocUnsafeSlow(4_096);

/** The string that `bytes[from..to)` encode; undefined when they are no Huffman code. */
export function decodeHuffman(bytes: Buffer, from: number, to: number): string | undefined {
  // The shortest code has 5 bits.
  const most = Math.ceil(((to - from) * 8) / 5);
  if (scratch.length < most) scratch = Buffer.allocUnsafeSlow(most * 2);
  const out = scratch;
  let size = 0;
  let table = 0;
  let bits = 0;
  let held = 0;
  // Bits read since the last whole symbol: what is left at the end must be padding.
  let pending = 0;
  for (let at = from; at < to; at += 1) {
    bits = ((bits & 0xff) << 8) | (bytes[at] ?? 0);
    held += 8;
    pending += 8;
    while (held >= 8) {
      const entry = tree[table * 256 + ((bits >>> (held - 8)) & 0xff)] ?? 0;
      if (entry < leaf) {
        table = entry;
        held -= 8;
        continue;
      }
      const symbol = entry & 0x1ff;
      if (symbol === eos) return undefined;
      out[size] = symbol;
      size += 1;
      held -= (entry >>> 9) & 0xf;
      pending = held;
      table = 0;
    }
  }
  while (held > 0) {
    const entry = tree[table * 256 + ((bits << (8 - held)) & 0xff)] ?? 0;
    const length = (entry >>> 9) & 0xf;
    if (entry < leaf || length > held) break;
    const symbol = entry & 0x1ff;
    if (symbol === eos) return undefined;
    out[size] = symbol;
    size += 1;
    held -= length;
    pending = held;
    table = 0;
  }
  // Padding: fewer than 8 bits, all ones.
  const ones = (1 << pending) - 1;
  if (pending > 7 || (bits & ones) !== ones) return undefined;
  return out.toString('latin1', 0, size);
}
