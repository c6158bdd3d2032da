import type { Elements } from '../datatype.ts';
import { numberBytesMax, writeShortest, writeWhole } from './shortest.ts';

const comma = 0x2c;
const minus = 0x2d;
const half = 2 ** 32;

/** Where runs of numbers are written before they become text; kept. */
let memory = Buffer.alloc(0);

function room(elements: number): Buffer {
  const bytes = elements * (numberBytesMax + 1);
  if (memory.length < bytes) memory = Buffer.allocUnsafeSlow(bytes);
  return memory;
}

/** The elements from `from` up to `to`, with commas between them; what JSON has no number for as the texts that the reader takes. */
export function floatsText(elements: Float64Array, from: number, to: number): string {
  const text = room(to - from);
  let at = 0;
  for (let index = from; index < to; index++) {
    const value = elements[index] as number;
    if (index > from) text[at++] = comma;
    at = value - value === 0 ? writeShortest(text, at, value) : at + text.write(`"${value}"`, at, 'latin1');
  }
  return text.toString('latin1', 0, at);
}

/** The same of whole numbers. */
export function wholesText(elements: Elements, from: number, to: number): string {
  if (elements instanceof BigInt64Array || elements instanceof BigUint64Array) return widesText(elements, from, to);
  const text = room(to - from);
  let at = 0;
  for (let index = from; index < to; index++) {
    const value = elements[index] as number;
    if (index > from) text[at++] = comma;
    if (value < 0) text[at++] = minus;
    at = writeWhole(text, at, value < 0 ? -value : value);
  }
  return text.toString('latin1', 0, at);
}

/** By halves, without a BigInt each, where a double holds the number. */
function widesText(elements: BigInt64Array | BigUint64Array, from: number, to: number): string {
  const signed = elements instanceof BigInt64Array;
  const halves = new Uint32Array(elements.buffer, elements.byteOffset, 2 * elements.length);
  const text = room(to - from);
  let at = 0;
  for (let index = from; index < to; index++) {
    const high = halves[2 * index + 1] as number;
    const value = (signed ? high | 0 : high) * half + (halves[2 * index] as number);
    if (index > from) text[at++] = comma;
    if (!Number.isSafeInteger(value)) at += text.write(String(elements[index]), at, 'latin1');
    else {
      if (value < 0) text[at++] = minus;
      at = writeWhole(text, at, value < 0 ? -value : value);
    }
  }
  return text.toString('latin1', 0, at);
}
