import { tensorError } from './tensor-error.ts';

/** One element of a BYTES tensor: text, or bytes where it came or goes as such. */
export type BytesElement = string | Uint8Array;

const prefixBytes = 4;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Elements of the raw form (each a little-endian uint32 length and that many bytes), as views. `count` must be exact. */
export function decodeBytesElements(raw: Uint8Array, count: number, tensor: string): Uint8Array[] {
  // Each element takes at least its prefix, so a lie about the count is found before anything is allocated.
  if (count * prefixBytes > raw.byteLength) {
    throw tensorError(
      'TENSOR_BYTES_MALFORMED',
      tensor,
      `${raw.byteLength} bytes cannot hold ${count} elements`,
      'a 4-byte little-endian length before each element',
    );
  }
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const elements: Uint8Array[] = [];
  let at = 0;
  while (at < raw.byteLength && elements.length < count) {
    const length = at + prefixBytes <= raw.byteLength ? view.getUint32(at, true) : Number.POSITIVE_INFINITY;
    if (at + prefixBytes + length > raw.byteLength) {
      throw tensorError(
        'TENSOR_BYTES_MALFORMED',
        tensor,
        `element ${elements.length} claims ${length} bytes and ${Math.max(0, raw.byteLength - at - prefixBytes)} are left`,
      );
    }
    elements.push(raw.subarray(at + prefixBytes, at + prefixBytes + length));
    at += prefixBytes + length;
  }
  if (elements.length !== count || at !== raw.byteLength) {
    throw tensorError(
      'TENSOR_BYTES_MALFORMED',
      tensor,
      `the data holds ${elements.length} elements and ${raw.byteLength - at} bytes more`,
      `exactly ${count} elements`,
    );
  }
  return elements;
}

/** The raw form of `elements`; text as UTF-8. */
export function encodeBytesElements(elements: readonly BytesElement[]): Buffer {
  const raw = Buffer.allocUnsafe(rawBytesLength(elements));
  let at = 0;
  for (const element of elements) {
    const length = elementLength(element);
    raw.writeUInt32LE(length, at);
    at += prefixBytes;
    if (typeof element === 'string') raw.write(element, at, 'utf8');
    else raw.set(element, at);
    at += length;
  }
  return raw;
}

/** Bytes of the raw form, prefixes included. */
export function rawBytesLength(elements: readonly BytesElement[]): number {
  return elements.reduce((sum, element) => sum + prefixBytes + elementLength(element), 0);
}

function elementLength(element: BytesElement): number {
  return typeof element === 'string' ? Buffer.byteLength(element) : element.byteLength;
}

/** `element` as text. Throws TENSOR_TEXT_NOT_UTF8 when it is none. */
export function textOf(element: BytesElement, index: number, tensor: string): string {
  if (typeof element === 'string') return element;
  try {
    return utf8.decode(element);
  } catch {
    throw tensorError(
      'TENSOR_TEXT_NOT_UTF8',
      tensor,
      `element ${index} is not UTF-8 text`,
      'text, as the model takes strings',
    );
  }
}
