import type { Abandoned, Chunk, Credit, Hello, Reply, ScoreResponse, Timing } from '@mooring/contracts/scoring';
import { chunkBound, readChunk, writeChunk } from './chunk-frames.ts';
import { reply as replyWith, type ScoreReply } from './port.ts';
import { headersBound, readHeader, writeHeaders } from './request-message.ts';
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

export interface OutgoingReply {
  id: number;
  reply: ScoreReply;
  /** What no chunk had of its body. */
  rest?: Buffer;
}

/** What the server says beside replies. */
export interface ServerSignals {
  hello?: Hello;
  credit?: Credit;
  drain?: boolean;
  abandoned?: Abandoned;
}

const text = 2;
const number = 0;
const replyOverheadBytes = 160;
const signalsBytes = 96;

/** One ScoreResponse in one buffer. */
export function encodeResponse(
  replies: readonly OutgoingReply[],
  signals: ServerSignals,
  chunk?: Chunk,
  room: (bytes: number) => Buffer = Buffer.allocUnsafe,
): Buffer {
  let bound = signalsBytes + textBound(signals.hello?.instanceId ?? '') + chunkBound(chunk);
  for (const { reply, rest } of replies) bound += replyBound(reply, rest ?? reply.body);
  const to = room(bound);
  let at = 0;
  const { hello, credit, abandoned } = signals;
  if (hello !== undefined) at = nested(to, at, 1, (start) => writeHello(to, start, hello));
  for (const outgoing of replies) at = nested(to, at, 2, (start) => writeReply(to, start, outgoing));
  if (credit !== undefined) at = nested(to, at, 3, (start) => writeNumber(to, start, 1, credit.credits));
  if (signals.drain === true) at = nested(to, at, 4, (start) => start);
  if (abandoned !== undefined) at = nested(to, at, 5, (start) => writeAbandoned(to, start, abandoned));
  if (chunk !== undefined) at = writeChunk(to, at, 6, chunk);
  return to.subarray(0, at);
}

function nested(to: Buffer, from: number, field: number, write: (start: number) => number): number {
  const at = writeVarint(to, from, (field << 3) | text);
  const start = at + paddedLengthBytes;
  const end = write(start);
  writePaddedLength(to, at, end - start);
  return end;
}

function replyBound(reply: ScoreReply, body: Buffer): number {
  let bound = replyOverheadBytes + body.length + headersBound(reply.headers);
  bound += textBound(reply.contentType) + textBound(reply.deployment) + textBound(reply.instanceId);
  bound += textBound(reply.batchId) + textBound(reply.errorCode) + textBound(reply.errorReason);
  bound += textBound(reply.errorMessage) + textBound(reply.pick) + textBound(reply.cache);
  bound += textBound(reply.idempotency) + textBound(reply.modelDigest) + textBound(reply.coldStart);
  return bound + textBound(reply.placement) + textBound(reply.mirrored);
}

function writeHello(to: Buffer, from: number, hello: Hello): number {
  let at = writeNumber(to, from, 1, hello.credits);
  at = writeNumber(to, at, 2, hello.wantsHeaders ? 1 : 0);
  at = writeText(to, at, 3, hello.instanceId);
  at = writeNumber(to, at, 4, hello.parallel);
  return writeNumber(to, at, 5, hello.readsChunks ? 1 : 0);
}

function writeAbandoned(to: Buffer, from: number, { queued, running, wastedUs }: Abandoned): number {
  return writeNumber(to, writeNumber(to, writeNumber(to, from, 1, queued), 2, running), 3, wastedUs);
}

function writeReply(to: Buffer, from: number, { id, reply, rest }: OutgoingReply): number {
  let at = writeNumber(to, from, 1, id);
  at = writeNumber(to, at, 2, reply.status);
  at = writeText(to, at, 3, reply.contentType);
  at = writeHeaders(to, at, 4, reply.headers);
  at = writeNumber(to, at, 5, reply.inferenceHeaderLengthPlusOne);
  const { timing } = reply;
  if (timing !== undefined) at = nested(to, at, 6, (start) => writeTiming(to, start, timing));
  at = writeText(to, at, 7, reply.deployment);
  at = writeText(to, at, 8, reply.instanceId);
  at = writeText(to, at, 9, reply.batchId);
  at = writeNumber(to, at, 10, reply.batchRows);
  at = writeNumber(to, at, 11, reply.rows);
  at = writeText(to, at, 12, reply.errorCode);
  at = writeText(to, at, 13, reply.errorReason);
  at = writeText(to, at, 14, reply.errorMessage);
  at = writeNumber(to, at, 15, reply.retryAfterMs);
  at = writeNumber(to, at, 16, reply.started ? 1 : 0);
  at = writeNumber(to, at, 17, reply.retries);
  at = writeText(to, at, 18, reply.pick);
  at = writeNumber(to, at, 19, reply.routerUs);
  at = writeBytes(to, at, 20, rest ?? reply.body);
  at = writeText(to, at, 21, reply.cache);
  at = writeText(to, at, 22, reply.idempotency);
  at = writeNumber(to, at, 23, reply.trafficSlotPlusOne);
  at = writeNumber(to, at, 24, reply.ejections);
  at = writeText(to, at, 25, reply.modelDigest);
  at = writeText(to, at, 26, reply.coldStart);
  at = writeText(to, at, 27, reply.placement);
  return writeText(to, at, 28, reply.mirrored);
}

function writeTiming(to: Buffer, from: number, timing: Timing): number {
  let at = writeNumber(to, from, 1, timing.totalUs);
  at = writeNumber(to, at, 2, timing.queueUs);
  at = writeNumber(to, at, 3, timing.batchWaitUs);
  at = writeNumber(to, at, 4, timing.preprocessUs);
  at = writeNumber(to, at, 5, timing.computeUs);
  return writeNumber(to, at, 6, timing.postprocessUs);
}

/** Reads one ScoreResponse. Bodies are views of `message`. Throws RangeError when it is not one. */
export function decodeResponse(message: Buffer): ScoreResponse {
  const reader = new WireReader(message);
  const response: ScoreResponse = {
    hello: undefined,
    replies: [],
    credit: undefined,
    drain: undefined,
    abandoned: undefined,
    chunks: [],
  };
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === ((1 << 3) | text)) response.hello = readHello(reader);
    else if (tag === ((2 << 3) | text)) response.replies.push(readReply(reader));
    else if (tag === ((3 << 3) | text)) response.credit = { credits: readCredits(reader) };
    else if (tag === ((4 << 3) | text)) {
      reader.skip(tag);
      response.drain = {};
    } else if (tag === ((5 << 3) | text)) response.abandoned = readAbandoned(reader);
    else if (tag === ((6 << 3) | text)) response.chunks.push(readChunk(reader));
    else reader.skip(tag);
  }
  return response;
}

function readHello(reader: WireReader): Hello {
  const outer = reader.enter();
  const hello: Hello = { credits: 0, wantsHeaders: false, instanceId: '', parallel: 0, readsChunks: false };
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === 1 << 3) hello.credits = reader.varint();
    else if (tag === 2 << 3) hello.wantsHeaders = reader.varint() !== 0;
    else if (tag === ((3 << 3) | text)) hello.instanceId = reader.text();
    else if (tag === 4 << 3) hello.parallel = reader.varint();
    else if (tag === 5 << 3) hello.readsChunks = reader.varint() !== 0;
    else reader.skip(tag);
  }
  reader.leave(outer);
  return hello;
}

function readCredits(reader: WireReader): number {
  const outer = reader.enter();
  let credits = 0;
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === 1 << 3) credits = reader.varint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return credits;
}

function readAbandoned(reader: WireReader): Abandoned {
  const outer = reader.enter();
  const abandoned: Abandoned = { queued: 0, running: 0, wastedUs: 0 };
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === 1 << 3) abandoned.queued = reader.varint();
    else if (tag === 2 << 3) abandoned.running = reader.varint();
    else if (tag === 3 << 3) abandoned.wastedUs = reader.varint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return abandoned;
}

function readReply(reader: WireReader): Reply {
  const outer = reader.enter();
  const reply: Reply = { id: 0, ...replyWith({ started: false, headers: [] }) };
  while (reader.more()) readReplyField(reader, reader.varint(), reply);
  reader.leave(outer);
  return reply;
}

/* One case for each field of the proto, in its order. */
function readReplyField(reader: WireReader, tag: number, reply: Reply): void {
  switch (tag) {
    case (1 << 3) | number:
      reply.id = reader.varint();
      break;
    case (2 << 3) | number:
      reply.status = reader.varint();
      break;
    case (3 << 3) | text:
      reply.contentType = reader.text();
      break;
    case (4 << 3) | text:
      reply.headers.push(readHeader(reader));
      break;
    case (5 << 3) | number:
      reply.inferenceHeaderLengthPlusOne = reader.varint();
      break;
    case (6 << 3) | text:
      reply.timing = readTiming(reader);
      break;
    case (7 << 3) | text:
      reply.deployment = reader.text();
      break;
    case (8 << 3) | text:
      reply.instanceId = reader.text();
      break;
    case (9 << 3) | text:
      reply.batchId = reader.text();
      break;
    case (10 << 3) | number:
      reply.batchRows = reader.varint();
      break;
    case (11 << 3) | number:
      reply.rows = reader.varint();
      break;
    case (12 << 3) | text:
      reply.errorCode = reader.text();
      break;
    case (13 << 3) | text:
      reply.errorReason = reader.text();
      break;
    case (14 << 3) | text:
      reply.errorMessage = reader.text();
      break;
    case (15 << 3) | number:
      reply.retryAfterMs = reader.varint();
      break;
    case (16 << 3) | number:
      reply.started = reader.varint() !== 0;
      break;
    case (17 << 3) | number:
      reply.retries = reader.varint();
      break;
    case (18 << 3) | text:
      reply.pick = reader.text();
      break;
    case (19 << 3) | number:
      reply.routerUs = reader.varint();
      break;
    case (20 << 3) | text:
      reply.body = reader.bytes();
      break;
    case (21 << 3) | text:
      reply.cache = reader.text();
      break;
    case (22 << 3) | text:
      reply.idempotency = reader.text();
      break;
    case (23 << 3) | number:
      reply.trafficSlotPlusOne = reader.varint();
      break;
    case (24 << 3) | number:
      reply.ejections = reader.varint();
      break;
    case (25 << 3) | text:
      reply.modelDigest = reader.text();
      break;
    case (26 << 3) | text:
      reply.coldStart = reader.text();
      break;
    case (27 << 3) | text:
      reply.placement = reader.text();
      break;
    case (28 << 3) | text:
      reply.mirrored = reader.text();
      break;
    default:
      reader.skip(tag);
  }
}

function readTiming(reader: WireReader): Timing {
  const outer = reader.enter();
  const timing: Timing = { totalUs: 0, queueUs: 0, batchWaitUs: 0, preprocessUs: 0, computeUs: 0, postprocessUs: 0 };
  while (reader.more()) {
    const tag = reader.varint();
    if (tag === 1 << 3) timing.totalUs = reader.varint();
    else if (tag === 2 << 3) timing.queueUs = reader.varint();
    else if (tag === 3 << 3) timing.batchWaitUs = reader.varint();
    else if (tag === 4 << 3) timing.preprocessUs = reader.varint();
    else if (tag === 5 << 3) timing.computeUs = reader.varint();
    else if (tag === 6 << 3) timing.postprocessUs = reader.varint();
    else reader.skip(tag);
  }
  reader.leave(outer);
  return timing;
}
