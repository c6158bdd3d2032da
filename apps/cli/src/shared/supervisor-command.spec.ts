import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, it } from 'vitest';
import type { DataFolder } from '@mooring/config';
import { askSupervisor } from './supervisor-command.ts';

const run = mkdtempSync(join(tmpdir(), 'asked-'));
let server: Server | undefined;
afterEach(() => {
  server?.close();
  server = undefined;
});
afterAll(() => rmSync(run, { recursive: true, force: true }));

const options = { timeoutMs: 2_000, signal: new AbortController().signal, onStep: () => undefined };
const ask = (): Promise<unknown> => askSupervisor({ run } as DataFolder, { restart: {} }, options);

it('says that a platform takes no commands yet, or any more', async () => {
  await expect(ask()).rejects.toMatchObject({
    code: 'unavailable',
    reason: 'PLATFORM_UNREACHABLE',
    message: expect.stringContaining('still starting, or is being stopped'),
  });
});

it.each([
  ['leaves without an answer', ''],
  ['answers what is no answer', 'hello\n'],
])('says that a platform broke off which %s', async (_what, answer) => {
  server = createServer((socket) => void socket.on('data', () => socket.end(answer)));
  await new Promise<void>((resolve) => server?.listen(join(run, 'supervisor.sock'), resolve));
  await expect(ask()).rejects.toMatchObject({
    reason: 'PLATFORM_UNREACHABLE',
    message: expect.stringContaining('logs'),
  });
});
