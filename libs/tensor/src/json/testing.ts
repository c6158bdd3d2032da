import type { DataType } from '../datatype.ts';

type Random = () => number;

const below = (random: Random, limit: number): number => Math.floor(random() * limit);
const pick = <T>(random: Random, list: readonly T[]): T => list[below(random, list.length)] as T;
const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => below(random, 10)).join('');

/** A double of any size, as JSON writes it. */
function anyDouble(random: Random): string {
  const bits = new Uint32Array([random() * 2 ** 32, random() * 2 ** 32]);
  const value = new Float64Array(bits.buffer)[0] as number;
  return Number.isFinite(value) ? String(value) : '1';
}

/** A number as JSON allows it, in every way that people and programs write them. */
export function decimalText(random: Random): string {
  const sign = random() < 0.3 ? '-' : '';
  const lead = random() < 0.5 ? '0' : `${1 + below(random, 9)}${digits(random, below(random, 20))}`;
  const exponent = (): string => `${pick(random, ['e', 'E'])}${pick(random, ['', '+', '-'])}${below(random, 40)}`;
  switch (below(random, 8)) {
    case 0:
      return sign + String(below(random, 300));
    case 1:
      return sign + String(random());
    case 2:
      return sign + String(Math.fround(random() * 10 ** below(random, 5)));
    case 3:
      return sign + String(Math.round(random() * 1e6) / 10 ** below(random, 7));
    case 4:
      return anyDouble(random);
    case 5:
      return `${sign}${lead}.${digits(random, 1 + below(random, 25))}`;
    case 6:
      return `${sign}${lead}${random() < 0.5 ? `.${digits(random, 1 + below(random, 25))}` : ''}${exponent()}`;
    default:
      return sign + lead;
  }
}

const leaves: Readonly<Record<string, (random: Random) => string>> = {
  decimals: decimalText,
  bytes: (random) => String(below(random, 256)),
  bits: (random) => pick(random, ['true', 'false', '0', '1']),
  wholes: (random) => `${pick(random, ['', '-'])}${1 + below(random, 9)}${digits(random, below(random, 18))}`,
  gaps: (random) => (random() < 0.2 ? pick(random, ['"NaN"', '"Infinity"', '"-Infinity"']) : String(random())),
  texts: (random) => JSON.stringify(pick(random, ['a', 'ö', '"', '\\', ''])),
  odd: (random) => (random() < 0.1 ? pick(random, ['null', '{}', '[]', '1e999', '"nan"', '01', '1.', '-']) : '1'),
};
const kindOf: Readonly<Partial<Record<DataType, readonly string[]>>> = {
  BOOL: ['bits'],
  BYTES: ['texts'],
  FP64: ['decimals', 'gaps'],
  FP32: ['decimals', 'gaps'],
  FP16: ['gaps', 'bytes'],
};

export interface Body {
  text: string;
  shape: number[];
}

/** An object with `data` of that datatype, mostly; its nesting mostly regular. */
export function randomBody(random: Random, datatype: DataType): Body {
  const kinds = random() < 0.85 ? (kindOf[datatype] ?? ['wholes', 'bytes']) : Object.keys(leaves);
  const leaf = leaves[pick(random, kinds)] as (random: Random) => string;
  const blank = random() < 0.5 ? () => '' : () => pick(random, ['', ' ', '\n', '\r\n\t', '  ']);
  const shape = Array.from({ length: below(random, 4) }, () => below(random, 5));
  const nest = (depth: number): string => {
    if (depth === shape.length) return leaf(random);
    const length = (shape[depth] as number) + (random() < 0.01 ? 1 : 0);
    const entries = Array.from({ length }, () => `${blank()}${nest(depth + 1)}${blank()}`);
    return `[${entries.length === 0 ? blank() : entries.join(',')}]`;
  };
  const flat = random() < 0.3;
  const count = shape.reduce((product, size) => product * size, 1);
  const data = flat ? `[${Array.from({ length: count }, () => leaf(random)).join(`${blank()},`)}]` : nest(0);
  const members = [
    `"name":${blank()}${JSON.stringify(pick(random, ['x', 'größe', 'a"b', '']))}`,
    `"shape"${blank()}:[${shape.join(`,${blank()}`)}]`,
    `"data":${blank()}${data}${blank()}`,
    ...(random() < 0.2 ? [`"more":${pick(random, ['null', '[1,{"data":[2]},[]]', '-1.5e3', '{"data":{}}'])}`] : []),
    ...(random() < 0.05 ? ['"data":[1]', '"__proto__":{"data":[1]}'] : []),
  ].toSorted(() => random() - 0.5);
  return { text: `${blank()}{${blank()}${members.join(`,${blank()}`)}}${blank()}`, shape };
}

/** The text with one byte gone, doubled or replaced. */
export function mutated(random: Random, text: string): Buffer {
  const bytes = Buffer.from(text);
  const at = below(random, bytes.length);
  const other = pick(random, [...Buffer.from('[]{},:.-+eE0129 "\\nt\t\u0000'), 0xff, 0xc3, 0xef]);
  switch (below(random, 3)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at, at + 1), bytes.subarray(at)]);
    default:
      bytes[at] = other;
      return bytes;
  }
}
