import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { PlatformError } from '@mooring/errors';
import { problemsError, shownPath } from '../reading/problems.ts';

/** A resource file is a page or two; anything near this is a mistake, or an attack on the parser. */
const fileBytesMax = 1024 * 1024;

/**
 * Text of a file that should hold YAML. Rejects with `not_found` / FILE_NOT_FOUND, `too_large` / FILE_TOO_LARGE, or
 * VALIDATION_FAILED where its bytes are no UTF-8 text. Devices and pipes, which may never end, are not read.
 */
export async function readTextFile(file: string): Promise<string> {
  return textOf(await readBytes(file), file);
}

async function readBytes(file: string): Promise<Uint8Array> {
  try {
    // Without O_NONBLOCK opening a pipe waits for somebody to write to it.
    const handle = await open(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const found = await handle.stat();
      if (found.isDirectory()) throw unreadable(file, 'it is a folder');
      if (!found.isFile()) throw unreadable(file, 'it is not a file but a device or pipe');
      // One byte more than is allowed: files of /proc say that they have none.
      const buffer = Buffer.alloc(Math.min(found.size || fileBytesMax, fileBytesMax) + 1);
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0);
      if (bytesRead > fileBytesMax) {
        const message = `${shownPath(file)} has more than ${fileBytesMax} bytes; no more are read`;
        throw new PlatformError('too_large', 'FILE_TOO_LARGE', message);
      }
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    throw unreadable(file, reasonOf(thrown), thrown);
  }
}

function reasonOf(thrown: unknown): string {
  const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
  const why: Record<string, string> = {
    ENOENT: 'there is no such file',
    ENOTDIR: 'a part of its path is a file, not a folder',
    EISDIR: 'it is a folder',
    EACCES: 'it may not be read',
    ELOOP: 'it is a link that leads to itself',
    ENAMETOOLONG: 'the name is too long',
    ENXIO: 'it is not a file but a socket or device',
    ERR_INVALID_ARG_VALUE: 'its name holds a character that no file name may hold',
  };
  return why[code] ?? code;
}

function unreadable(file: string, why: string, cause?: unknown): PlatformError {
  const missing = (cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
  const message = `cannot read ${shownPath(file)}: ${why}`;
  return new PlatformError(missing ? 'not_found' : 'invalid_argument', 'FILE_NOT_FOUND', message, {
    problems: [{ path: shownPath(file), problem: why, expected: 'the path of a YAML file' }],
    cause,
  });
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    refuseControlCharacters(text, file);
    return text;
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    throw problemsError(file, [{ path: '(file)', problem: encodingProblem(bytes), expected: 'text in UTF-8' }]);
  }
}

function encodingProblem(bytes: Uint8Array): string {
  const [first, second] = bytes;
  if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) return 'is text in UTF-16';
  const at = firstBadByte(bytes);
  const line = bytes.subarray(0, at).reduce((lines, byte) => (byte === 0x0a ? lines + 1 : lines), 1);
  return `is not text in UTF-8: byte ${at} (0x${(bytes[at] ?? 0).toString(16)}), on line ${line}, is part of no character`;
}

/** By halving: the longest start that decodes ends before the first bad byte. */
function firstBadByte(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (decodes(bytes.subarray(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function decodes(bytes: Uint8Array): boolean {
  try {
    // As a stream: a character that is cut at the end is no mistake.
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: true });
    return true;
  } catch {
    return false;
  }
}

// Not \t, \n, \r and the next-line character: YAML 1.2, 5.1.
const controlCharacter = /[\p{Cc}--[\t\n\r\x85]]/v;

function refuseControlCharacters(text: string, file: string): void {
  const match = controlCharacter.exec(text);
  if (match === null) return;
  const before = text.slice(0, match.index).split('\n');
  const code = match[0].charCodeAt(0).toString(16).padStart(2, '0');
  throw problemsError(file, [
    {
      path: `line ${before.length}, column ${(before.at(-1) ?? '').length + 1}`,
      problem: `holds the control character 0x${code}, which YAML does not allow`,
      expected: `text; in double quotes such a character is written \\x${code}`,
    },
  ]);
}
