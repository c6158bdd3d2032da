import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface SeenRequest {
  method: string;
  url: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

export interface SmallServer {
  url: string;
  /** Every request, in order. */
  seen: SeenRequest[];
  /** Answers from now on. */
  answer(handler: Handler): void;
  close(): Promise<void>;
}

export type Handler = (request: SeenRequest, response: ServerResponse, nth: number) => void | Promise<void>;

/** A real HTTP server on a free port of this machine. `nth` counts the requests since the last `answer`, from 1. */
export async function startSmallServer(): Promise<SmallServer> {
  const seen: SeenRequest[] = [];
  let handler: Handler = (_request, response) => void response.writeHead(404).end();
  let nth = 0;
  const server = createServer(async (incoming, response) => {
    const parts: Buffer[] = [];
    for await (const part of incoming) parts.push(part as Buffer);
    const { method = '', url = '', headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(parts) };
    seen.push(request);
    nth += 1;
    await handler(request, response, nth);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    answer: (next) => {
      handler = next;
      nth = 0;
      seen.length = 0;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

/** Ends a response with JSON. */
export function json(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}
