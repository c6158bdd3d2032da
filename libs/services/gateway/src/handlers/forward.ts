import { Operation, Priority, Protocol } from '@mooring/contracts/scoring';
import { answerOf, type ScoreCall, type ScoreReply, type ScoringPort } from '@mooring/scoring-stream';
import { requestedDeadlineMs } from '../domain/request-headers.ts';
import type { Exchange } from '../exchange.ts';
import { replyAnswer, type Answer } from '../http/answer.ts';
import { decompress } from '../http/compression.ts';
import { arrivedTooLate, readBody } from '../http/read-body.ts';
import { callPlan, type RequestPlan } from './request-plan.ts';

export interface ForwardDeps {
  scoring: ScoringPort;
  /** Before and after decompression. */
  bodyBytesMax: number;
}

const noBody = Buffer.alloc(0);

/** Reads the request and sends it through the router; the model's bytes come back untouched. */
export function forward(
  deps: ForwardDeps,
  exchange: Exchange,
  plan: RequestPlan,
  operation: Operation,
): Answer | Promise<Answer> {
  const refused = exchange.request.complete ? undefined : refusedUnread(deps, exchange, plan, operation);
  if (refused !== undefined) return replied(exchange, refused);
  const body = bodyOf(deps.bodyBytesMax, exchange);
  // Small bodies are here already, and waiting for nothing costs a turn.
  return body instanceof Promise
    ? body.then((read) => score(deps, exchange, plan, operation, read))
    : score(deps, exchange, plan, operation, body);
}

function score(
  { scoring }: ForwardDeps,
  exchange: Exchange,
  plan: RequestPlan,
  operation: Operation,
  body: Buffer,
): Answer | Promise<Answer> {
  const reply = answerOf(scoring, callOf(exchange, plan, operation, body), exchange.signal);
  return reply instanceof Promise ? reply.then((given) => replied(exchange, given)) : replied(exchange, reply);
}

function replied(exchange: Exchange, reply: ScoreReply): Answer {
  exchange.marks.answered = performance.now();
  exchange.reply = reply;
  return replyAnswer(reply, exchange.dialect, exchange.requestId);
}

/** The refusal of a request whose body is still coming, where the router would refuse it whatever that holds. */
function refusedUnread(
  { scoring, bodyBytesMax }: ForwardDeps,
  exchange: Exchange,
  plan: RequestPlan,
  operation: Operation,
): ScoreReply | undefined {
  const { head, endpoint } = exchange;
  const bodyBytes = head.contentLength ?? 0;
  // That it is too large says more, since it will not do later either.
  if (scoring.refusal === undefined || bodyBytes > bodyBytesMax) return undefined;
  const { deployment, idempotencyKey } = callPlan(plan, head);
  return scoring.refusal({
    operation,
    endpoint: endpoint?.name ?? '',
    deployment,
    deadlineMs: deadlineLeftMs(exchange),
    priority: Priority.PRIORITY_LIVE,
    idempotencyKey,
    bodyBytes,
  });
}

/** Asks something about an endpoint on the caller's behalf, outside the exchange's own answer. */
export function ask(
  deps: ForwardDeps,
  exchange: Exchange,
  plan: RequestPlan,
  operation: Operation,
  endpoint: string,
  deployment: string,
): Promise<ScoreReply> {
  const call = callOf(exchange, plan, operation, noBody);
  exchange.marks.bodyRead ??= performance.now();
  return deps.scoring.score(
    { ...call, endpoint, deployment, modelName: endpoint, modelVersion: deployment },
    exchange.signal,
  );
}

/** The request's body, decompressed. Its bytes count as held until the exchange ends. */
export function bodyOf(bytesMax: number, exchange: Exchange): Buffer | Promise<Buffer> {
  const sent = readBody(exchange.request, bytesMax, exchange.held, deadlineLeftMs(exchange));
  const encoding = exchange.head.headers['content-encoding'];
  if (encoding !== undefined || sent instanceof Promise) return openBody(bytesMax, exchange, sent, encoding);
  exchange.bytesIn = sent.length;
  exchange.marks.bodyRead = performance.now();
  return sent;
}

async function openBody(
  bytesMax: number,
  exchange: Exchange,
  read: Buffer | Promise<Buffer>,
  encoding: string | undefined,
): Promise<Buffer> {
  const sent = await read;
  exchange.bytesIn = sent.length;
  const body = sent.length === 0 || encoding === undefined ? sent : await inTime(bytesMax, exchange, sent, encoding);
  exchange.marks.bodyRead = performance.now();
  return body;
}

/** Opens a body while the caller is there and its own time lasts; waiting for one's turn counts. */
async function inTime(bytesMax: number, exchange: Exchange, sent: Buffer, encoding: string): Promise<Buffer> {
  const leftMs = deadlineLeftMs(exchange);
  const late = new AbortController();
  const timer = leftMs > 0 ? setTimeout(() => late.abort(arrivedTooLate()), leftMs) : undefined;
  try {
    return await decompress(sent, encoding, {
      bytesMax,
      take: (bytes) => exchange.held.take(bytes),
      // Who floods one endpoint does not hold up the others.
      owner: exchange.endpoint?.name,
      signal: timer === undefined ? exchange.signal : AbortSignal.any([exchange.signal, late.signal]),
    });
  } finally {
    clearTimeout(timer);
  }
}

function callOf(exchange: Exchange, plan: RequestPlan, operation: Operation, body: Buffer): ScoreCall {
  const { head, endpoint, span } = exchange;
  const { route } = plan;
  const call = callPlan(plan, head);
  return {
    operation,
    protocol: exchange.dialect === 'oip' ? Protocol.PROTOCOL_OIP_REST : Protocol.PROTOCOL_SCORE,
    endpoint: endpoint?.name ?? '',
    deployment: call.deployment,
    requestId: exchange.requestId,
    deadlineMs: deadlineLeftMs(exchange),
    priority: Priority.PRIORITY_LIVE,
    traceparent: span?.traceparent || plan.traceparent,
    contentType: call.contentType,
    inferenceHeaderLengthPlusOne: call.inferenceHeaderLengthPlusOne,
    method: head.method,
    query: exchange.query,
    headers: call.headers,
    modelName: route.model ?? endpoint?.name ?? '',
    modelVersion: route.version ?? '',
    idempotencyKey: call.idempotencyKey,
    body,
  };
}

/** What is left of the time that the caller gave; 0 when it gave none. */
export function deadlineLeftMs(exchange: Exchange): number {
  const askedMs = requestedDeadlineMs(exchange.head.headers);
  if (askedMs === 0) return 0;
  const leftMs = Math.floor(askedMs - (performance.now() - exchange.marks.began));
  if (leftMs >= 1) return leftMs;
  throw arrivedTooLate();
}
