import { connect } from 'node:http2';

/** One gRPC call over node:http2 whose one message says that it is compressed; resolves with its status. */
export function framedCall(
  address: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  message: Buffer,
): Promise<number> {
  const session = connect(`http://${address}`);
  session.on('error', () => undefined);
  const head = Buffer.from([1, 0, 0, 0, 0]);
  head.writeUInt32BE(message.length, 1);
  return new Promise<number>((resolve, reject) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...headers,
    });
    const look = (received: Readonly<Record<string, unknown>>): void => {
      if (received['grpc-status'] !== undefined) resolve(Number(received['grpc-status']));
    };
    stream.on('response', look);
    stream.on('trailers', look);
    stream.on('error', () => undefined);
    stream.on('close', () => reject(new Error(`the call of ${path} ended without a status`)));
    stream.resume();
    stream.end(Buffer.concat([head, message]));
  }).finally(() => session.destroy());
}
