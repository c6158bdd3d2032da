import { createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Connection } from './http2/connection.ts';
import { defaultConnectionLimits } from './http2/limits.ts';
import { okStatus } from './http2/response-encoder.ts';
import { goProgram, run } from './testing/programs.ts';

let server: Server;
let h2spec = '';

/** Answers everything as soon as the request has ended: h2spec speaks plain HTTP, and waits for an answer with a body. */
beforeAll(async () => {
  const built = await goProgram('github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible');
  if (built === undefined) throw new Error('h2spec could not be built: it needs Go and its module proxy');
  h2spec = built;
  const connections = new Set<Connection>();
  server = createServer((socket) => {
    connections.add(
      new Connection(socket, {
        limits: { ...defaultConnectionLimits, concurrentStreamsMax: 100 },
        calls: { count: 0, max: 1_000 },
        onClosed: (connection) => connections.delete(connection),
        onFault: () => undefined,
        onRequest: (stream) => {
          stream.sink = {
            onData: (chunk) => stream.credit(chunk.length),
            onBroken: () => undefined,
            onEnd: () => stream.answer(Buffer.from('hello'), okStatus),
          };
        },
      }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
}, 240_000);

afterAll(() => new Promise<void>((resolve) => server.close(() => resolve())));

it('keeps every rule of HTTP/2 that h2spec knows', async () => {
  const { port } = server.address() as AddressInfo;
  const { code, output } = await run(h2spec, ['-h', '127.0.0.1', '-p', String(port), '-o', '2'], 120_000);
  expect(code, output).toBe(0);
  expect(output).toMatch(/ 0 failed/);
  expect(Number(/(\d+) passed/.exec(output)?.[1])).toBeGreaterThanOrEqual(140);
});
