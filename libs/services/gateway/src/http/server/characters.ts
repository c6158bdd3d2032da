function table(has: (code: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_unused, code) => (has(code) ? 1 : 0));
}

/** RFC 9110's `tchar`: what methods and header names are made of. */
export const tokenCharacters = table((code) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(code)));

/** What a header's value may hold: visible characters, space, tab and, as RFC 9110 puts up with, bytes from 0x80 on. */
export const valueCharacters = table((code) => code === 0x09 || (code >= 0x20 && code !== 0x7f));

/** What a request's target may hold: visible ASCII. Whether it makes a path is decided where it is read. */
export const targetCharacters = table((code) => code > 0x20 && code < 0x7f);

/** Value of a hexadecimal digit, or 255. */
export const hexDigits = Uint8Array.from({ length: 256 }, (_unused, code) => {
  const text = String.fromCharCode(code);
  return /[0-9A-Fa-f]/.test(text) ? Number.parseInt(text, 16) : 255;
});
