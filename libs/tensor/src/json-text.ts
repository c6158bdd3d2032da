import { PlatformError } from '@mooring/errors';
import { readWithRows } from './json/scan.ts';
import { tensorError } from './tensor-error.ts';

/** Thrown by a reader that met an integer which JSON.parse has rounded; decodeJson then parses again, exactly. */
export class RoundedInteger extends Error {
  override readonly name = 'RoundedInteger';
  readonly tensor: string;
  readonly index: number;
  constructor(tensor: string, index: number) {
    super(`element ${index} of '${tensor}' was rounded`);
    this.tensor = tensor;
    this.index = index;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true });
/** Digits of the largest uint64, and a sign. Longer ones are out of range for every datatype anyway. */
const integerText = /^-?\d{1,20}$/;

/** For less, JSON.parse is as quick: rows.bench.ts. */
const rowsBytesMin = 256;

/**
 * Parses `bytes` as JSON and gives the value to `read`. Integers beyond 2^53 survive: when `read` throws RoundedInteger
 * the text is parsed once more with those integers as BigInt. Nearly no request needs that, and it is several times
 * slower. Arrays of numbers below `data` and `input_data` may come as NumberRows, which only tensorFromJson, shapeOfNested
 * and isRows know; `read` may be called a second time, with plain arrays in their place. Throws JSON_INVALID or BODY_NOT_UTF8
 * (`invalid_argument`); `what` names the input in the message.
 */
export function decodeJson<T>(bytes: Uint8Array, what: string, read: (value: unknown) => T): T {
  const quick = bytes.byteLength < rowsBytesMin ? undefined : readWithRows(bytes, read);
  return quick === undefined ? decodeByParse(bytes, what, read) : quick.value;
}

/** decodeJson without the quick way. */
export function decodeByParse<T>(bytes: Uint8Array, what: string, read: (value: unknown) => T): T {
  const text = decodeText(bytes, what);
  try {
    return read(parse(text, what));
  } catch (thrown) {
    if (!(thrown instanceof RoundedInteger)) throw thrown;
  }
  try {
    return read(parse(text, what, exact));
  } catch (thrown) {
    if (!(thrown instanceof RoundedInteger)) throw thrown;
    // Such as 1e19: a number that is whole, but was not written as digits.
    const problem = `element ${thrown.index} is beyond 2^53 and not written as plain digits`;
    throw tensorError('TENSOR_VALUE_INVALID', thrown.tensor, problem, 'digits only, such as 9007199254740993');
  }
}

function decodeText(bytes: Uint8Array, what: string): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new PlatformError('invalid_argument', 'BODY_NOT_UTF8', `${what} is not UTF-8 text`, { cause });
  }
}

function parse(text: string, what: string, reviver?: (key: string, value: unknown) => unknown): unknown {
  try {
    return JSON.parse(text, reviver) as unknown;
  } catch (cause) {
    // A RangeError is the stack: nesting that is thousands deep.
    const why = cause instanceof SyntaxError ? cause.message.slice(0, 200) : 'it is nested too deeply';
    throw new PlatformError('invalid_argument', 'JSON_INVALID', `${what} is not valid JSON: ${why}`, { cause });
  }
}

function exact(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return integerText.test(source) ? BigInt(source) : value;
}
