import { PlatformError } from '@mooring/errors';

/** What the router needs to know of a ModelInferRequest. */
export interface InferPeek {
  modelName: string;
  modelVersion: string;
  id: string;
}

const wire = { varint: 0, fixed64: 1, bytes: 2, fixed32: 5 } as const;

/**
 * Reads fields 1 to 3 of an encoded ModelInferRequest and steps over the rest, so that tensors are neither decoded nor
 * copied. Throws `invalid_argument` when the bytes are not a protobuf message at this level.
 */
export function peekInferRequest(message: Buffer): InferPeek {
  const peek: InferPeek = { modelName: '', modelVersion: '', id: '' };
  const cursor = { at: 0 };
  while (cursor.at < message.length) {
    const tag = readVarint(message, cursor);
    const field = Math.floor(tag / 8);
    if (field === 0) throw malformed('a field has number 0');
    const start = skipField(message, cursor, tag % 8);
    if (field <= 3 && tag % 8 === wire.bytes) {
      const text = message.toString('utf8', start, cursor.at);
      // A field that comes twice counts as it came last.
      if (field === 1) peek.modelName = text;
      else if (field === 2) peek.modelVersion = text;
      else peek.id = text;
    }
  }
  return peek;
}

/**
 * The model name, of the beginning of an encoded ModelInferRequest. Every encoder writes it first; empty when there is none
 * before the beginning ends.
 */
export function peekModelName(beginning: Buffer): string {
  const cursor = { at: 0 };
  try {
    while (cursor.at < beginning.length) {
      const tag = readVarint(beginning, cursor);
      const start = skipField(beginning, cursor, tag % 8);
      if (tag === nameTag) return beginning.toString('utf8', start, cursor.at);
    }
  } catch {
    // A field that goes on behind the beginning, or no message at all; what comes after it is nobody's name.
  }
  return '';
}

const nameTag = 8 + wire.bytes;

/** Moves past a field's value; returns where the value begins. */
export function skipField(message: Buffer, cursor: { at: number }, type: number): number {
  if (type === wire.varint) {
    const start = cursor.at;
    readVarint(message, cursor);
    return start;
  }
  let length: number;
  if (type === wire.bytes) length = readVarint(message, cursor);
  else if (type === wire.fixed64) length = 8;
  else if (type === wire.fixed32) length = 4;
  else throw malformed(`wire type ${type} is not used by the protocol`);
  const start = cursor.at;
  cursor.at += length;
  if (cursor.at > message.length) throw malformed('it is cut short');
  return start;
}

export function readVarint(message: Buffer, cursor: { at: number }): number {
  let value = 0;
  let scale = 1;
  for (let length = 0; length < 10; length += 1) {
    const byte = message[cursor.at];
    if (byte === undefined) throw malformed('it is cut short');
    cursor.at += 1;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
  throw malformed('a number is longer than 10 bytes');
}

function malformed(why: string): PlatformError {
  return new PlatformError('invalid_argument', 'MALFORMED_MESSAGE', `the message is not a ModelInferRequest: ${why}`);
}

/** A ModelStreamInferResponse that carries `response` (an encoded ModelInferResponse) as its answer. */
export function streamResponse(response: Buffer): Buffer {
  const length = response.length + finalResponse.length;
  return Buffer.concat([Buffer.of(0x12), varint(length), response, finalResponse]);
}

const finalResponse = trueParameter('triton_final_response');

/**
 * `parameters { key: <name> value { bool_param: true } }` as field 4 of a ModelInferResponse. Protobuf messages merge by
 * concatenation, so it is appended without decoding the answer. `name` has fewer than 100 characters.
 */
export function trueParameter(name: string): Buffer {
  const key = Buffer.from(name);
  const entry = Buffer.concat([Buffer.of(0x0a, key.length), key, Buffer.of(0x12, 2, 0x08, 1)]);
  return Buffer.concat([Buffer.of(0x22, entry.length), entry]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 128) | 0x80);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
