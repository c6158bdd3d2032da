import { decisionHeader, decisionText } from '@mooring/telemetry';
import { chooseEncoding, compress, compressMinBytes } from './compression.ts';
import { isHeaderValue, type Answer } from './answer.ts';
import { allowed } from '../domain/routes.ts';
import { serverTiming, stageTimes } from '../domain/stage-times.ts';
import type { ScoreReply } from '@mooring/scoring-stream';
import type { Exchange } from '../exchange.ts';

/** Gives the answer to the connection, with the headers that every answer has. */
export function send(exchange: Exchange, answer: Answer): void {
  const { request, marks } = exchange;
  if (request.settled) return;
  exchange.status = answer.status;
  exchange.error = answer.error;
  exchange.bytesOut = exchange.head.method === 'HEAD' ? 0 : answer.body.length;
  marks.ended = performance.now();
  marks.answered ??= marks.ended;
  exchange.stages = stageTimes(marks, exchange.reply);
  request.respond({
    status: answer.status,
    headers: lines(answer.headers) + ownHeaders(exchange),
    body: answer.body,
  });
}

/** Whether an answer is worth compressing, or could be for another caller. */
export function isCompressible({ body, headers }: Answer): boolean {
  return body.length >= compressMinBytes && !headers.some((header) => header.toLowerCase() === 'content-encoding');
}

/** A compressible answer in the encoding that the caller likes best. */
export async function compressed(exchange: Exchange, answer: Answer): Promise<Answer> {
  const encoding = chooseEncoding(exchange.head.headers['accept-encoding']);
  const headers = [...answer.headers, 'vary', 'accept-encoding'];
  if (encoding === undefined) return { ...answer, headers };
  exchange.marks.answered ??= performance.now();
  const body = await compress(answer.body, encoding);
  return { ...answer, body, headers: [...headers, 'content-encoding', encoding] };
}

function lines(headers: readonly string[]): string {
  let text = '';
  for (let index = 0; index < headers.length; index += 2) text += `${headers[index]}: ${headers[index + 1]}\r\n`;
  return text;
}

function ownHeaders(exchange: Exchange): string {
  const { requestId, reply, error, route, stages } = exchange;
  let text = `x-request-id: ${requestId}\r\nx-ms-request-id: ${requestId}\r\n`;
  if (exchange.clientRequestId !== '') text += `x-ms-client-request-id: ${exchange.clientRequestId}\r\n`;
  if (reply !== undefined && reply.deployment !== '' && isHeaderValue(reply.deployment)) {
    text += `azureml-model-deployment: ${reply.deployment}\r\n`;
  }
  if (reply !== undefined && (reply.cache !== '' || reply.idempotency !== '')) text += repeatHeaders(reply);
  if (stages !== undefined) text += `server-timing: ${serverTiming(stages)}\r\n`;
  if (exchange.explain && reply !== undefined) text += `${decisionHeader}: ${decisionText(reply)}\r\n`;
  if (error?.code === 'method_not_allowed' && route !== undefined) text += `allow: ${allowed(route)}\r\n`;
  return text;
}

/** Whether the answer is that of another request; the words are the router's own. */
function repeatHeaders({ cache, idempotency }: ScoreReply): string {
  let text = cache === '' ? '' : `x-mooring-cache: ${cache}\r\n`;
  if (idempotency !== '') text += `x-mooring-idempotency: ${idempotency}\r\n`;
  if (idempotency === 'replayed') text += 'idempotency-replayed: true\r\n';
  return text;
}
