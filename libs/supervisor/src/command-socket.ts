import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Logger } from 'pino';
import { PlatformError } from '@mooring/errors';

/** What may be asked of a running supervisor: one JSON line. `process` absent: all processes but NATS. */
export interface SupervisorCommand {
  restart: { process?: string };
}

const lineBytesMax = 4_096;
const lineMsDefault = 10_000;
const connectionsMax = 16;
const lineFeed = 0x0a;

/**
 * Takes commands on a unix socket in the run folder, which only the owner can enter: one line of JSON each, answered by
 * lines `{"step": ...}` and a last one, `{"result": ...}` or `{"error": {code, reason, message}}`. What was begun goes on
 * when the asker leaves.
 */
export async function serveCommands(
  path: string,
  run: (command: SupervisorCommand, onStep: (step: string) => void) => Promise<unknown>,
  log: Logger,
  lineMs = lineMsDefault,
): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => void serve(socket, run, log, lineMs));
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  server.on('error', (error) => log.error({ err: error }, 'the command socket failed'));
  return server;
}

async function serve(
  socket: Socket,
  run: (command: SupervisorCommand, onStep: (step: string) => void) => Promise<unknown>,
  log: Logger,
  lineMs: number,
): Promise<void> {
  socket.on('error', () => undefined);
  const say = (line: object): void => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
  };
  try {
    const command = parse(await firstLine(socket, lineMs));
    say({ result: await run(command, (step) => say({ step })) });
  } catch (thrown) {
    const error = PlatformError.from(thrown);
    if (error.code === 'internal') log.error({ err: thrown }, 'a command failed');
    say({ error: { code: error.code, reason: error.reason, message: error.message } });
  }
  socket.end();
}

/** `lineMs` is for all of it: who sends a byte now and then takes the place of another. */
function firstLine(socket: Socket, lineMs: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(), lineMs);
    let bytes = 0;
    const pieces: Buffer[] = [];
    socket.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > lineBytesMax) return void socket.destroy();
      pieces.push(piece);
      if (!piece.includes(lineFeed)) return;
      clearTimeout(timer);
      const line = Buffer.concat(pieces);
      resolve(line.toString('utf8', 0, line.indexOf(lineFeed)));
    });
    socket.once('close', () => {
      clearTimeout(timer);
      reject(badCommand());
    });
  });
}

/** Strict: a slip in a name must not restart everything. */
function parse(line: string): SupervisorCommand {
  try {
    const command = JSON.parse(line) as Record<string, unknown>;
    const restart = fieldsOf(command, 'restart')['restart'] as Record<string, unknown>;
    const { process: name } = fieldsOf(restart, 'process');
    if (typeof name === 'string') return { restart: { process: name } };
    if (name === undefined) return { restart: {} };
  } catch {
    // Answered below.
  }
  throw badCommand();
}

/** The object, if it has no other field than `field`. */
function fieldsOf(value: unknown, field: string): Record<string, unknown> {
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
  if (isObject && Object.keys(value).every((key) => key === field)) return value as Record<string, unknown>;
  throw badCommand();
}

function badCommand(): PlatformError {
  return new PlatformError(
    'invalid_argument',
    'BAD_COMMAND',
    'a command is one line such as {"restart":{"process":"edge"}}',
  );
}
