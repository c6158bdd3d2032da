import { textOf } from './bytes-elements.ts';
import { floatsText, wholesText } from './json/numbers-text.ts';
import type { Tensor } from './tensor.ts';

/** Elements turned to text at once: large enough to be fast, small enough to stop soon after a limit is passed. */
const chunkElements = 4_096;

/** Collects pieces of JSON text; calls `tooLong` (which throws) once more than `limit` characters have come together. */
export class JsonPieces {
  readonly #pieces: string[] = [];
  readonly #limit: number;
  readonly #tooLong: () => never;
  #length = 0;

  constructor(limit: number, tooLong: () => never) {
    this.#limit = limit;
    this.#tooLong = tooLong;
  }

  add(piece: string): void {
    this.#length += piece.length;
    if (this.#length > this.#limit) this.#tooLong();
    this.#pieces.push(piece);
  }

  bytes(): Buffer {
    return Buffer.from(this.#pieces.join(''), 'utf8');
  }
}

/** Writes the elements as one flat JSON array, without a space. */
export function writeFlat(tensor: Tensor, into: JsonPieces): void {
  into.add('[');
  writeRun(tensor, 0, tensor.elements.length, into);
  into.add(']');
}

/** Writes the elements as arrays nested by the shape; a scalar as a bare value. */
export function writeNested(tensor: Tensor, into: JsonPieces): void {
  if (tensor.shape.length === 0) return writeRun(tensor, 0, 1, into);
  writeLevel(tensor, 0, 0, into);
}

/** Returns where the next element is. */
function writeLevel(tensor: Tensor, depth: number, from: number, into: JsonPieces): number {
  const length = tensor.shape[depth] ?? 0;
  into.add('[');
  let at = from;
  if (depth === tensor.shape.length - 1) {
    writeRun(tensor, from, from + length, into);
    at += length;
  } else {
    for (let row = 0; row < length; row++) {
      if (row > 0) into.add(',');
      at = writeLevel(tensor, depth + 1, at, into);
    }
  }
  into.add(']');
  return at;
}

function writeRun(tensor: Tensor, from: number, to: number, into: JsonPieces): void {
  for (let at = from; at < to; at += chunkElements) {
    if (at > from) into.add(',');
    into.add(textOfRun(tensor, at, Math.min(to, at + chunkElements)));
  }
}

function textOfRun(tensor: Tensor, from: number, to: number): string {
  switch (tensor.datatype) {
    case 'BYTES':
      return tensor.elements
        .slice(from, to)
        .map((element, index) => JSON.stringify(textOf(element, from + index, tensor.name)))
        .join(',');
    case 'BOOL':
      return Array.from(tensor.elements.subarray(from, to) as Uint8Array, (bit) => bit !== 0).join(',');
    case 'FP16':
    case 'FP32':
    case 'FP64':
      return floatsText(tensor.elements as Float64Array, from, to);
    default:
      return wholesText(tensor.elements, from, to);
  }
}
