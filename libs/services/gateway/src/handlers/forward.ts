import { Operation, Priority, Protocol } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import type { ScoreCall, ScoreReply, ScoringPort } from '@mooring/scoring-stream';
import {
  forwardedHeaders,
  inferenceHeaderLengthPlusOne,
  one,
  pinnedDeployment,
  requestedDeadlineMs,
  traceparentOf,
} from '../domain/request-headers.ts';
import type { Exchange } from '../exchange.ts';
import { replyAnswer, type Answer } from '../http/answer.ts';
import { decompress } from '../http/compression.ts';
import { readBody, type BodyLimits } from '../http/read-body.ts';

export interface ForwardDeps {
  scoring: ScoringPort;
  limits: BodyLimits;
}

/** Reads the request and sends it through the router; the model's bytes come back untouched. */
export async function forward(deps: ForwardDeps, exchange: Exchange, operation: Operation): Promise<Answer> {
  const call = callOf(exchange, operation, await bodyOf(deps.limits, exchange));
  const reply = await deps.scoring.score(call, exchange.signal);
  exchange.marks.answered = performance.now();
  exchange.reply = reply;
  return replyAnswer(reply, exchange.dialect, exchange.requestId);
}

/** Asks something about an endpoint on the caller's behalf, outside the exchange's own answer. */
export function ask(
  deps: ForwardDeps,
  exchange: Exchange,
  operation: Operation,
  endpoint: string,
  deployment: string,
): Promise<ScoreReply> {
  const call = callOf(exchange, operation, Buffer.alloc(0));
  exchange.marks.bodyRead ??= performance.now();
  return deps.scoring.score(
    { ...call, endpoint, deployment, modelName: endpoint, modelVersion: deployment },
    exchange.signal,
  );
}

/** The request's body, decompressed. Its bytes count as held until the exchange ends. */
export async function bodyOf(limits: BodyLimits, exchange: Exchange): Promise<Buffer> {
  const { request, response, held } = exchange;
  const sent = await readBody(request, response, limits, held);
  exchange.bytesIn = sent.length;
  const body =
    sent.length === 0 ? sent : await decompress(sent, one(request.headers, 'content-encoding'), limits.bytesMax);
  if (body !== sent) held.take(body.length);
  exchange.marks.bodyRead = performance.now();
  return body;
}

function callOf(exchange: Exchange, operation: Operation, body: Buffer): ScoreCall {
  const { request, route, endpoint, span } = exchange;
  const { headers } = request;
  return {
    operation,
    protocol: exchange.dialect === 'oip' ? Protocol.PROTOCOL_OIP_REST : Protocol.PROTOCOL_SCORE,
    endpoint: endpoint?.name ?? '',
    deployment: pinnedDeployment(headers, route?.version),
    requestId: exchange.requestId,
    deadlineMs: deadlineLeftMs(exchange),
    priority: Priority.PRIORITY_LIVE,
    traceparent: span?.traceparent || traceparentOf(headers),
    contentType: one(headers, 'content-type') ?? '',
    inferenceHeaderLengthPlusOne: inferenceHeaderLengthPlusOne(headers),
    method: request.method ?? 'GET',
    query: exchange.query,
    headers: forwardedHeaders(request.rawHeaders),
    modelName: route?.model ?? endpoint?.name ?? '',
    modelVersion: route?.version ?? '',
    body,
  };
}

/** What is left of the time that the caller gave; 0 when it gave none. */
function deadlineLeftMs(exchange: Exchange): number {
  const askedMs = requestedDeadlineMs(exchange.request.headers);
  if (askedMs === 0) return 0;
  const leftMs = Math.floor(askedMs - (performance.now() - exchange.marks.began));
  if (leftMs >= 1) return leftMs;
  throw new PlatformError(
    'deadline_exceeded',
    'DEADLINE_PASSED',
    `the request took longer to arrive than its ${askedMs} ms`,
  );
}
