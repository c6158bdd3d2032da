import type { Call, Chunk, Header, ScoreRequest } from '@mooring/contracts/scoring';
import type { ScoreCall } from './port.ts';
import { chunkBound, readChunk, writeChunk } from './chunk-frames.ts';
import { WireReader } from './wire-reader.ts';
import {
  paddedLengthBytes,
  textBound,
  writeBytes,
  writeNumber,
  writePaddedLength,
  writeText,
  writeVarint,
} from './wire-writer.ts';

/** A call as it is sent: `deadlineMs` is what is left at the moment of writing; `rest` what no chunk had of its body. */
export interface OutgoingCall {
  id: number;
  call: ScoreCall;
  deadlineMs: number;
  rest?: Buffer;
}

/** What a message carries beside whole calls. */
export interface RequestExtras {
  chunk?: Chunk | undefined;
  readsChunks?: boolean;
}

const none: readonly Header[] = [];
/** Tags and numbers of one call, tags and length of its body, and its own prefix. */
const callOverheadBytes = 64;

/** One ScoreRequest in one buffer. `withHeaders` false leaves the callers' headers out, as the receiver asked. */
export function encodeRequest(
  calls: readonly OutgoingCall[],
  cancels: readonly number[],
  withHeaders: boolean,
  { chunk, readsChunks = false }: RequestExtras = {},
  room: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  let bound = cancels.length * 16 + chunkBound(chunk) + 2;
  for (const { call, rest } of calls) bound += callBound(call, rest ?? call.body, withHeaders);
  const to = room(bound);
  let at = 0;
  for (const outgoing of calls) {
    at = writeVarint(to, at, (1 << 3) | 2);
    const start = at + paddedLengthBytes;
    const end = writeCall(to, start, outgoing, withHeaders);
    writePaddedLength(to, at, end - start);
    at = end;
  }
  for (const id of cancels) {
    at = writeVarint(to, at, (2 << 3) | 2);
    const end = writeNumber(to, at + 1, 1, id);
    to[at] = end - at - 1;
    at = end;
  }
  if (chunk !== undefined) at = writeChunk(to, at, 3, chunk);
  at = writeNumber(to, at, 4, readsChunks ? 1 : 0);
  return to.subarray(0, at);
}

function callBound(call: ScoreCall, body: Buffer, withHeaders: boolean): number {
  let bound = callOverheadBytes + body.length;
  bound +=
    textBound(call.endpoint) + textBound(call.deployment) + textBound(call.requestId) + textBound(call.traceparent);
  bound += textBound(call.contentType) + textBound(call.method) + textBound(call.query);
  bound += textBound(call.modelName) + textBound(call.modelVersion) + textBound(call.idempotencyKey);
  return bound + headersBound(withHeaders ? call.headers : none);
}

export function headersBound(headers: readonly Header[]): number {
  let bound = 0;
  for (const { name, value } of headers) bound += 1 + paddedLengthBytes + textBound(name) + textBound(value);
  return bound;
}

export function writeHeaders(to: Buffer, from: number, field: number, headers: readonly Header[]): number {
  let at = from;
  for (const { name, value } of headers) {
    at = writeVarint(to, at, (field << 3) | 2);
    const start = at + paddedLengthBytes;
    const end = writeText(to, writeText(to, start, 1, name), 2, value);
    writePaddedLength(to, at, end - start);
    at = end;
  }
  return at;
}

function writeCall(
  to: Buffer,
  from: number,
  { id, call, deadlineMs, rest }: OutgoingCall,
  withHeaders: boolean,
): number {
  let at = writeNumber(to, from, 1, id);
  at = writeNumber(to, at, 2, call.operation);
  at = writeNumber(to, at, 3, call.protocol);
  at = writeText(to, at, 4, call.endpoint);
  at = writeText(to, at, 5, call.deployment);
  at = writeText(to, at, 6, call.requestId);
  at = writeNumber(to, at, 7, deadlineMs);
  at = writeNumber(to, at, 8, call.priority);
  at = writeText(to, at, 9, call.traceparent);
  at = writeText(to, at, 10, call.contentType);
  at = writeNumber(to, at, 11, call.inferenceHeaderLengthPlusOne);
  at = writeText(to, at, 12, call.method);
  at = writeText(to, at, 13, call.query);
  at = writeHeaders(to, at, 14, withHeaders ? call.headers : none);
  at = writeText(to, at, 15, call.modelName);
  at = writeText(to, at, 16, call.modelVersion);
  at = writeText(to, at, 17, call.idempotencyKey);
  return writeBytes(to, at, 20, rest ?? call.body);
}

/** Reads one ScoreRequest. Bodies are views of `message`. Throws RangeError when it is not one. */
export function decodeRequest(message: Buffer): ScoreRequest {
  const reader = new WireReader(message);
  const request: ScoreRequest = { calls: [], cancels: [], chunks: [], readsChunks: false };
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | 2)) request.calls.push(readCall(reader));
    else if (tag === ((2 << 3) | 2)) request.cancels.push({ id: readId(reader) });
    else if (tag === ((3 << 3) | 2)) request.chunks.push(readChunk(reader));
    else if (tag === 4 << 3) request.readsChunks = reader.varint() !== 0;
    else reader.skip(tag);
  }
  return request;
}

function readId(reader: WireReader): number {
  const outer = reader.enter();
  let id = 0;
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === 1 << 3) id = reader.varint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return id;
}

function readCall(reader: WireReader): Call {
  const outer = reader.enter();
  const call = emptyCall();
  while (reader.more()) readCallField(reader, reader.varint(), call);
  reader.leave(outer);
  return call;
}

const text = 2;
const number = 0;

/* One case for each field of the proto, in its order: a table would be slower and no shorter. */
function readCallField(reader: WireReader, tag: number, call: Call): void {
  switch (tag) {
    case (1 << 3) | number:
      call.id = reader.varint();
      break;
    case (2 << 3) | number:
      call.operation = reader.varint() as Call['operation'];
      break;
    case (3 << 3) | number:
      call.protocol = reader.varint() as Call['protocol'];
      break;
    case (4 << 3) | text:
      call.endpoint = reader.text();
      break;
    case (5 << 3) | text:
      call.deployment = reader.text();
      break;
    case (6 << 3) | text:
      call.requestId = reader.text();
      break;
    case (7 << 3) | number:
      call.deadlineMs = reader.varint();
      break;
    case (8 << 3) | number:
      call.priority = reader.varint() as Call['priority'];
      break;
    case (9 << 3) | text:
      call.traceparent = reader.text();
      break;
    case (10 << 3) | text:
      call.contentType = reader.text();
      break;
    case (11 << 3) | number:
      call.inferenceHeaderLengthPlusOne = reader.varint();
      break;
    case (12 << 3) | text:
      call.method = reader.text();
      break;
    case (13 << 3) | text:
      call.query = reader.text();
      break;
    case (14 << 3) | text:
      call.headers.push(readHeader(reader));
      break;
    case (15 << 3) | text:
      call.modelName = reader.text();
      break;
    case (16 << 3) | text:
      call.modelVersion = reader.text();
      break;
    case (17 << 3) | text:
      call.idempotencyKey = reader.text();
      break;
    case (20 << 3) | text:
      call.body = reader.bytes();
      break;
    default:
      reader.skip(tag);
  }
}

export function readHeader(reader: WireReader): Header {
  const outer = reader.enter();
  const header: Header = { name: '', value: '' };
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | text)) header.name = reader.text();
    else if (tag === ((2 << 3) | text)) header.value = reader.text();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return header;
}

const noBody = Buffer.alloc(0);

function emptyCall(): Call {
  return {
    id: 0,
    operation: 0,
    protocol: 0,
    endpoint: '',
    deployment: '',
    requestId: '',
    deadlineMs: 0,
    priority: 0,
    traceparent: '',
    contentType: '',
    inferenceHeaderLengthPlusOne: 0,
    method: '',
    query: '',
    headers: [],
    modelName: '',
    modelVersion: '',
    idempotencyKey: '',
    body: noBody,
  };
}
