import { PlatformError } from '@mooring/errors';
import { readVarint, skipField } from './infer-peek.ts';

/** Tags of `parameters` in a ModelInferRequest, of key and value in its entries, of a text in a value. */
const parameters = (4 << 3) | 2;
const entryKey = (1 << 3) | 2;
const entryValue = (2 << 3) | 2;
const textValue = (3 << 3) | 2;

/**
 * The text parameter `name` of an encoded ModelInferRequest, undefined when it has none. Only parameters are looked into,
 * tensors are stepped over. Throws `invalid_argument` like `peekInferRequest`, and for one of that name that is no text.
 */
export function textParameter(message: Buffer, name: string): string | undefined {
  let found: string | undefined;
  eachField(message, (tag, field) => {
    if (tag === parameters) found = textOfEntry(field, name) ?? found;
  });
  return found;
}

function textOfEntry(entry: Buffer, name: string): string | undefined {
  let key = '';
  let value: Buffer | undefined;
  eachField(entry, (tag, field) => {
    if (tag === entryKey) key = field.toString('utf8');
    else if (tag === entryValue) value = field;
  });
  if (key !== name) return undefined;
  let text: string | undefined;
  eachField(value ?? Buffer.alloc(0), (tag, field) => {
    text = tag === textValue ? field.toString('utf8') : undefined;
  });
  // A caller that sends one means it: passing over it would be a promise broken in silence.
  if (text === undefined) {
    const message = `the request parameter ${name} must be a text (string_param)`;
    throw new PlatformError('invalid_argument', 'PARAMETER_INVALID', message);
  }
  return text;
}

/** `field` is a view of the field's bytes. */
function eachField(message: Buffer, told: (tag: number, field: Buffer) => void): void {
  const cursor = { at: 0 };
  while (cursor.at < message.length) {
    const tag = readVarint(message, cursor);
    const start = skipField(message, cursor, tag % 8);
    told(tag, message.subarray(start, cursor.at));
  }
}
