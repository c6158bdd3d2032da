import { chmodSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Logger } from 'pino';
import { PlatformError } from '@mooring/errors';

/** What may be asked of a running supervisor: one JSON line. `process` absent: all processes but NATS. */
export interface SupervisorCommand {
  restart: { process?: string };
}

const lineBytesMax = 4_096;
const silenceMs = 10_000;
const connectionsMax = 16;

/**
 * Takes commands on a unix socket in the run folder, which only the owner can enter: one line of JSON each, answered by
 * lines `{"step": ...}` and a last one, `{"result": ...}` or `{"error": {code, reason, message}}`. What was begun goes on
 * when the asker leaves.
 */
export async function serveCommands(
  path: string,
  run: (command: SupervisorCommand, onStep: (step: string) => void) => Promise<unknown>,
  log: Logger,
): Promise<Server> {
  rmSync(path, { force: true });
  const server = createServer((socket) => void serve(socket, run, log));
  server.maxConnections = connectionsMax;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  chmodSync(path, 0o600);
  return server;
}

async function serve(
  socket: Socket,
  run: (command: SupervisorCommand, onStep: (step: string) => void) => Promise<unknown>,
  log: Logger,
): Promise<void> {
  socket.on('error', () => undefined);
  socket.setTimeout(silenceMs, () => socket.destroy());
  const say = (line: object): void => {
    if (socket.writable) socket.write(`${JSON.stringify(line)}\n`);
  };
  try {
    const command = parse(await firstLine(socket));
    socket.setTimeout(0);
    say({ result: await run(command, (step) => say({ step })) });
  } catch (thrown) {
    const error = PlatformError.from(thrown);
    if (error.code === 'internal') log.error({ err: thrown }, 'a command failed');
    say({ error: { code: error.code, reason: error.reason, message: error.message } });
  }
  socket.end();
}

function firstLine(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let bytes = 0;
    socket.on('data', (piece: Buffer) => {
      bytes += piece.length;
      if (bytes > lineBytesMax) socket.destroy();
    });
    createInterface(socket).once('line', resolve);
    socket.once('close', () => reject(badCommand()));
  });
}

function parse(line: string): SupervisorCommand {
  try {
    const { restart } = JSON.parse(line) as { restart?: { process?: unknown } };
    const name = restart?.process;
    if (typeof restart === 'object' && (name === undefined || typeof name === 'string')) {
      return { restart: name === undefined ? {} : { process: name } };
    }
  } catch {
    // Answered below.
  }
  throw badCommand();
}

function badCommand(): PlatformError {
  return new PlatformError(
    'invalid_argument',
    'BAD_COMMAND',
    'a command is one line such as {"restart":{"process":"edge"}}',
  );
}
