/** Bytes of a JSON text. */
export const quote = 0x22;
export const plus = 0x2b;
export const comma = 0x2c;
export const minus = 0x2d;
export const point = 0x2e;
export const zero = 0x30;
export const colon = 0x3a;
export const bigE = 0x45;
export const openBracket = 0x5b;
export const backslash = 0x5c;
export const closeBracket = 0x5d;
export const smallE = 0x65;
export const openBrace = 0x7b;
export const closeBrace = 0x7d;

/** Where the next byte is that is no blank. The text must not end in blanks. */
export function skipBlanks(source: Uint8Array, from: number): number {
  let at = from;
  while (isBlank(source[at] as number)) at += 1;
  return at;
}

export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
