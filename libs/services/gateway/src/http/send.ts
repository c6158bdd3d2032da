import { allowed } from '../domain/routes.ts';
import { serverTiming, stageTimes } from '../domain/stage-times.ts';
import type { Exchange } from '../exchange.ts';
import type { Answer } from './answer.ts';
import { chooseEncoding, compress, compressMinBytes } from './compression.ts';
import { one } from '../domain/request-headers.ts';

/** How long, and how much of, a body that nobody wants is still read so that its sender sees the answer. */
const lingerMs = 2_000;
const lingerBytesMax = 16 * 2 ** 20;

/** Writes the answer with the headers that every answer has. `closing`: this connection takes no further request. */
export async function send(exchange: Exchange, answer: Answer, closing: boolean): Promise<void> {
  const { request, response } = exchange;
  exchange.status = answer.status;
  exchange.error = answer.error;
  exchange.marks.answered ??= performance.now();
  const { body, headers } = await compressed(exchange, answer);
  if (response.destroyed || response.headersSent) return;
  exchange.bytesOut = request.method === 'HEAD' ? 0 : body.length;
  addOwnHeaders(exchange, headers, closing || !request.complete);
  headers.push('content-length', String(body.length));
  response.writeHead(answer.status, headers);
  if (request.complete || waitsToContinue(exchange)) {
    response.end(body);
    return;
  }
  // Closing now would reset the connection under a caller that still sends, and the answer would be lost with it.
  response.write(body);
  await drained(exchange);
  response.end();
}

async function compressed(exchange: Exchange, answer: Answer): Promise<{ body: Buffer; headers: string[] }> {
  const { headers, body } = answer;
  if (body.length < compressMinBytes || headers.some((header) => header.toLowerCase() === 'content-encoding'))
    return answer;
  const encoding = chooseEncoding(one(exchange.request.headers, 'accept-encoding'));
  const vary = [...headers, 'vary', 'accept-encoding'];
  if (encoding === undefined) return { body, headers: vary };
  return { body: await compress(body, encoding), headers: [...vary, 'content-encoding', encoding] };
}

function addOwnHeaders(exchange: Exchange, headers: string[], closing: boolean): void {
  const { requestId, reply, marks, error, route } = exchange;
  headers.push('x-request-id', requestId, 'x-ms-request-id', requestId);
  if (exchange.clientRequestId !== '') headers.push('x-ms-client-request-id', exchange.clientRequestId);
  if (reply !== undefined && reply.deployment !== '') headers.push('azureml-model-deployment', reply.deployment);
  headers.push('server-timing', serverTiming(stageTimes({ ...marks, ended: performance.now() }, reply)));
  if (error?.code === 'method_not_allowed' && route !== undefined) headers.push('allow', allowed(route));
  if (closing) headers.push('connection', 'close');
}

/** The caller asked before sending its body and was not told to go on: nothing is under way. */
function waitsToContinue({ request, bytesIn }: Exchange): boolean {
  return request.headers.expect !== undefined && bytesIn === 0;
}

function drained({ request }: Exchange): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0;
    const done = (): void => {
      clearTimeout(timer);
      request.off('data', onData).off('end', done).off('close', done);
      resolve();
    };
    const onData = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > lingerBytesMax) done();
    };
    const timer = setTimeout(done, lingerMs);
    request.on('data', onData).on('end', done).on('close', done);
    request.resume();
  });
}
