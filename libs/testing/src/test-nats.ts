import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pino, type Logger } from 'pino';
import { connectNats, startNatsServer, type Nats, type NatsServer } from '@mooring/messaging';
import { tempDir } from './temp-dir.ts';

/** A real nats-server with JetStream on a free loopback port, its files in a temp folder of its own. */
export interface TestNats {
  url: string;
  user: string;
  password: string;
  /** The settings that natsModule reads, for a module or a process under test. */
  environment: Readonly<Record<string, string>>;
  /** JetStream's folder, for looking at the raw bytes. */
  storeDir: string;
  /** Process id of the server that runs now. */
  pid(): number;
  /** A connection of its own; stop() closes it, if the spec has not. */
  connect(options?: { deadlineMs?: number; log?: Logger }): Promise<Nats>;
  /** Ends the server without grace, as a crash does; `resume` brings it back on the same port with the same files. */
  kill(): Promise<void>;
  /** Stops the server in good order. */
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Closes every connection, stops the server, removes its files. */
  stop(): Promise<void>;
}

const silent = pino({ enabled: false });

export async function startTestNats(): Promise<TestNats> {
  const folder = tempDir('nats-');
  const account = { user: 'mooring', password: randomBytes(12).toString('hex') };
  const start = (port: number): Promise<NatsServer> => startNatsServer({ dataDir: folder.path, port, ...account });
  let server = await start(0);
  const { url } = server;
  const open = new Set<Nats>();
  return {
    url,
    ...account,
    environment: {
      MOORING_NATS_URL: url,
      MOORING_NATS_USER: account.user,
      MOORING_NATS_PASSWORD: account.password,
      MOORING_NATS_SYNC: 'always',
    },
    storeDir: join(folder.path, 'jetstream'),
    pid: () => server.pid,
    connect: async ({ deadlineMs = 2_000, log = silent } = {}) => {
      const nats = await connectNats({ url, ...account, name: 'spec', deadlineMs }, log);
      const closing: Nats = {
        ...nats,
        close: async () => {
          if (open.delete(closing)) await nats.close();
        },
      };
      open.add(closing);
      return closing;
    },
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    pause: () => server.stop(),
    resume: async () => {
      server = await start(Number(new URL(url).port));
    },
    stop: async () => {
      await Promise.all([...open].map((nats) => nats.close()));
      await server.stop();
      folder.remove();
    },
  };
}
