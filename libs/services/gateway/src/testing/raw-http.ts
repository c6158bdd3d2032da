import { createConnection, type Socket } from 'node:net';

export interface RawConnection {
  socket: Socket;
  /** Everything received so far. */
  text(): string;
  send(data: string | Buffer): void;
  /** Resolves when `pattern` has come or the connection has ended; with all that was received. */
  until(pattern: RegExp, timeoutMs?: number): Promise<string>;
  closed(timeoutMs?: number): Promise<string>;
}

/** A TCP connection that may say anything. */
export async function connectRaw(url: string): Promise<RawConnection> {
  const { hostname, port } = new URL(url);
  const socket = createConnection({ host: hostname, port: Number(port) });
  const chunks: Buffer[] = [];
  let ended = false;
  const wakers = new Set<() => void>();
  const wake = (): void => wakers.forEach((waker) => waker());
  socket.on('data', (chunk) => {
    chunks.push(chunk);
    wake();
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    ended = true;
    wake();
  });
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  const text = (): string => Buffer.concat(chunks).toString('latin1');
  const wait = (done: () => boolean, what: string, timeoutMs: number): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!done()) return;
        clearTimeout(timer);
        wakers.delete(check);
        resolve(text());
      };
      const timer = setTimeout(() => {
        wakers.delete(check);
        reject(new Error(`${what} did not come in ${timeoutMs} ms; received: ${text().slice(0, 500)}`));
      }, timeoutMs);
      wakers.add(check);
      check();
    });
  return {
    socket,
    text,
    send: (data) => void (socket.writable && socket.write(data)),
    until: (pattern, timeoutMs = 5_000) => wait(() => ended || pattern.test(text()), String(pattern), timeoutMs),
    closed: (timeoutMs = 5_000) => wait(() => ended, 'the end of the connection', timeoutMs),
  };
}

/** Sends `request` on a new connection and resolves with the status and text of the answer. */
export async function exchangeRaw(url: string, request: string | Buffer): Promise<{ status: number; text: string }> {
  const connection = await connectRaw(url);
  connection.send(request);
  const text = await connection.until(/\r\n\r\n/);
  connection.socket.destroy();
  return { status: Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1] ?? 0), text };
}
