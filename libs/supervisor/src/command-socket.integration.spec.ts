import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { pino } from 'pino';
import { serveCommands, type SupervisorCommand } from './command-socket.ts';

const folder = mkdtempSync(join(tmpdir(), 'commands-'));
const path = join(folder, 'supervisor.sock');
const silenceMs = 300;
const asked: SupervisorCommand[] = [];
const sockets: Socket[] = [];
let server: Server;
beforeAll(async () => {
  const run = async (command: SupervisorCommand, onStep: (step: string) => void): Promise<unknown> => {
    asked.push(command);
    onStep('one');
    return 'done';
  };
  server = await serveCommands(path, run, pino({ enabled: false }), silenceMs);
});
beforeEach(() => void (asked.length = 0));
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true, force: true });
});

function connect(): Socket {
  const socket = createConnection(path);
  socket.on('error', () => undefined);
  sockets.push(socket);
  return socket;
}

/** All that is answered until the other side ends. */
async function answers(socket: Socket): Promise<unknown[]> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
  await new Promise((resolve) => socket.once('close', resolve));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

async function say(...pieces: (string | Buffer)[]): Promise<unknown[]> {
  const socket = connect();
  for (const piece of pieces) socket.write(piece);
  return answers(socket);
}

const refused = [{ error: { code: 'invalid_argument', reason: 'BAD_COMMAND', message: expect.any(String) } }];

it('runs a command and tells its steps; only the owner may ask', async () => {
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(await say('{"restart":{"process":"edge"}}\n')).toEqual([{ step: 'one' }, { result: 'done' }]);
  expect(await say('{"rest', 'art":{}}\n')).toEqual([{ step: 'one' }, { result: 'done' }]);
  expect(asked).toEqual([{ restart: { process: 'edge' } }, { restart: {} }]);
});

it.each([
  'null',
  '1',
  '[]',
  '{}',
  '',
  'restart',
  '{"restart":null}',
  '{"restart":[]}',
  '{"restart":[{"process":"edge"}]}',
  '{"restart":"edge"}',
  '{"restart":{"proces":"edge"}}',
  '{"restart":{"process":7}}',
  '{"restart":{"process":null}}',
  '{"restart":{},"stop":{}}',
  '{"__proto__":{"restart":{}}}',
])('takes %j for no command: nothing is restarted by a slip', async (line) => {
  expect(await say(`${line}\n`)).toEqual(refused);
  expect(asked).toEqual([]);
});

it('does not run what is longer than a command may be, nor what is no text', async () => {
  const padded = (bytes: number): string => `{"restart":{"process":"${'e'.repeat(bytes)}"}}\n`;
  for (const line of [padded(5_000), padded(1_000_000), 'x'.repeat(100_000)]) expect(await say(line)).toEqual([]);
  expect(await say(Buffer.from([0xff, 0xfe, 0x00, 0x0a]))).toEqual(refused);
  expect(asked).toEqual([]);
});

it('waits for a line for a while only, however slowly it drips', async () => {
  const socket = connect();
  const drip = setInterval(() => socket.writable && socket.write(' '), silenceMs / 6);
  const startedAt = performance.now();
  expect(await answers(socket)).toEqual([]);
  clearInterval(drip);
  expect(performance.now() - startedAt).toBeLessThan(silenceMs * 8);
});

it('answers others while many connections say nothing, once these were waited for', async () => {
  for (let count = 0; count < 40; count += 1) connect();
  await expect
    .poll(() => say('{"restart":{}}\n'), { timeout: 5_000, interval: 50 })
    .toEqual([{ step: 'one' }, { result: 'done' }]);
});
