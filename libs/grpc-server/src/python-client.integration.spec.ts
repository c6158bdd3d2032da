import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pythonWith, run } from './testing/programs.ts';
import { startTestServer, type TestServer } from './testing/test-server.ts';

let server: TestServer;
let python: string;

beforeAll(async () => {
  server = await startTestServer({ receiveMaxBytes: 8_000_000, sendMaxBytes: 8_000_000 });
  python = await pythonWith('grpcio', ['grpcio==1.85.3']);
}, 240_000);

afterAll(() => server.stop(AbortSignal.timeout(2_000)));

/** grpcio wraps gRPC's C core: an HTTP/2 stack, and an opinion of what is gRPC, that share nothing with Node's. */
it("serves gRPC's own Python client in every kind of call", async () => {
  const script = fileURLToPath(new URL('testing/client.py', import.meta.url));
  const { code, output } = await run(python, [script, server.address], 120_000);
  expect(code, output).toBe(0);
  expect(Number(/(\d+) passed/.exec(output)?.[1]), output).toBeGreaterThanOrEqual(20);
});
