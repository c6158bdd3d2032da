import { connect as connectHttp2, constants } from 'node:http2';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** Where a caller leaves. */
export type Stage = 'head' | 'body' | 'queued' | 'running' | 'answering';
export const stages: readonly Stage[] = ['head', 'body', 'queued', 'running', 'answering'];

export interface Leaving {
  /** `host:port`. */
  address: string;
  key: string;
  path: string;
  body: Buffer;
  stage: Stage;
}

/** How long a request is left alone, so that it is where it should be when its caller goes. */
const thereMs: Readonly<Record<Stage, number>> = { head: 3, body: 3, queued: 8, running: 10, answering: 0 };
const answerMs = 10_000;

function sentOf({ body, stage }: Leaving): Buffer {
  if (stage === 'head') return body.subarray(0, 0);
  return stage === 'body' ? body.subarray(0, body.length >> 1) : body;
}

/** Resolves when the caller is gone: its connection is reset. */
export async function leaveRest(leaving: Leaving): Promise<void> {
  const { address, key, path, body, stage } = leaving;
  const [host = '', port = ''] = address.split(':');
  const socket = connect(Number(port), host);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  const head =
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\n` +
    `content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  socket.write(Buffer.concat([Buffer.from(head), sentOf(leaving)]));
  if (stage === 'answering') await begun(socket);
  else await delay(thereMs[stage]);
  socket.resetAndDestroy();
}

/** The first bytes of the answer; not read any further. */
function begun(socket: Duplex): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) return resolve();
    const timer = setTimeout(resolve, answerMs);
    timer.unref();
    socket.once('close', resolve);
    socket.once('data', () => {
      clearTimeout(timer);
      socket.pause();
      resolve();
    });
  });
}

/** The same over gRPC. `wholeConnection`: it goes with its connection; otherwise it resets its stream. */
export async function leaveGrpc(leaving: Leaving, wholeConnection: boolean): Promise<void> {
  const { address, key, path, body, stage } = leaving;
  const session = connectHttp2(`http://${address}`);
  session.on('error', () => undefined);
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    authorization: `Bearer ${key}`,
  });
  stream.on('error', () => undefined);
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(body.length, 1);
  if (stage !== 'head') stream.write(Buffer.concat([prefix, sentOf(leaving)]));
  if (stage !== 'head' && stage !== 'body') stream.end();
  if (stage === 'answering') await begun(stream);
  else {
    if (session.connecting) await new Promise((resolve) => session.once('connect', resolve).once('close', resolve));
    await delay(thereMs[stage]);
  }
  if (wholeConnection) session.destroy();
  else {
    if (!stream.closed) {
      stream.close(constants.NGHTTP2_CANCEL);
      await new Promise((resolve) => stream.once('close', resolve));
    }
    session.destroy();
  }
}
