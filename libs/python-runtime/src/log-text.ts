import { isUtf8 } from 'node:buffer';

const lf = 0x0a;
const cr = 0x0d;
// C0 without the tab, DEL, C1, and the two line separators of Unicode: what could hide or forge lines in a terminal.
// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const hidden = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u2028\u2029]/g;
const named: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n', '\v': '\\v', '\f': '\\f', '\b': '\\b' };

/** Bytes that a script wrote, as text that is safe to show: control characters and bytes that are not UTF-8 as escapes. */
export function visibleText(bytes: Buffer): string {
  const text = isUtf8(bytes) ? bytes.toString('utf8') : escapeInvalid(bytes);
  return text.replace(hidden, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.charCodeAt(0);
  return named[character] ?? (code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`);
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, '0');
}

function escapeInvalid(bytes: Buffer): string {
  let text = '';
  let at = 0;
  while (at < bytes.length) {
    const byte = bytes.readUInt8(at);
    const length = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    const character = bytes.subarray(at, at + length);
    const valid = character.length === length && isUtf8(character);
    text += valid ? character.toString('utf8') : `\\x${hex(byte, 2)}`;
    at += valid ? length : 1;
  }
  return text;
}

/**
 * Cuts a byte stream into lines of at most `lineBytesMax` bytes and hands them on as visible text. What goes beyond is
 * counted, not held. `flush` hands on a line that has no end yet.
 */
export function lineSplitter(
  lineBytesMax: number,
  onLine: (line: string) => void,
): { push(bytes: Buffer): void; flush(): void } {
  let parts: Buffer[] = [];
  let kept = 0;
  let dropped = 0;
  const keep = (piece: Buffer): void => {
    const part = piece.subarray(0, Math.max(0, lineBytesMax - kept));
    // A copy: the piece is part of a larger read that would stay in memory as long as this line does.
    if (part.length > 0) parts.push(Buffer.from(part));
    kept += part.length;
    dropped += piece.length - part.length;
  };
  const flush = (): void => {
    if (kept === 0 && dropped === 0) return;
    emit();
  };
  const emit = (): void => {
    let line: Buffer = Buffer.concat(parts, kept);
    if (dropped > 0) line = wholeCharacters(line);
    else if (line.at(-1) === cr) line = line.subarray(0, -1);
    onLine(visibleText(line) + (dropped > 0 ? ` [line cut: ${kept + dropped} bytes]` : ''));
    parts = [];
    kept = 0;
    dropped = 0;
  };
  const push = (bytes: Buffer): void => {
    let from = 0;
    for (let end = bytes.indexOf(lf); end !== -1; end = bytes.indexOf(lf, from)) {
      keep(bytes.subarray(from, end));
      emit();
      from = end + 1;
    }
    if (from < bytes.length) keep(bytes.subarray(from));
  };
  return { push, flush };
}

/** `bytes` without a character that was cut in its middle. */
function wholeCharacters(bytes: Buffer): Buffer {
  for (let back = 0; back < 4 && back < bytes.length; back++) {
    const lead = bytes.readUInt8(bytes.length - 1 - back);
    if (lead < 0x80) return bytes;
    if (lead >= 0xc0)
      return isUtf8(bytes.subarray(bytes.length - 1 - back)) ? bytes : bytes.subarray(0, bytes.length - 1 - back);
  }
  return bytes;
}
