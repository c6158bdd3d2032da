import type { Logger } from 'pino';
import { startNatsServer, type NatsServer } from '@mooring/messaging';
import { identify, type ProcessIdentity } from '@mooring/runtime';
import { mendWriteFailures } from './write-failures.ts';

const restartDelayMs = 200;
const restartDelayMaxMs = 5_000;
const restartMs = 30_000;

export interface SupervisedNats {
  readonly url: string;
  identity(): ProcessIdentity | undefined;
  /** Ends it in good order and starts it again. Resolves when it serves. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** The own nats-server; started again on the same port and files when it ends. */
export async function superviseNats(options: {
  dataDir: string;
  user: string;
  password: string;
  log: Logger;
  onRestart: () => void;
}): Promise<SupervisedNats> {
  const { log } = options;
  let server: NatsServer = await startNatsServer({ ...options, port: 0 });
  const { url } = server;
  let stopping = false;
  let restarting = false;
  let started = Promise.withResolvers<void>();
  const watch = async (): Promise<void> => {
    let delayMs = restartDelayMs;
    while (!stopping) {
      const how = await server.exited;
      if (stopping) return;
      if (!restarting) log.error({ how }, 'nats-server ended; starting it again');
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      try {
        if (stopping) return;
        server = await startNatsServer({ ...options, port: Number(new URL(url).port) });
        started.resolve();
        started = Promise.withResolvers<void>();
        // Asked to stop while it came up: nobody else would end it.
        if (stopping) return await server.stop();
        delayMs = restartDelayMs;
        options.onRestart();
      } catch (error) {
        delayMs = Math.min(delayMs * 2, restartDelayMaxMs);
        log.error({ err: error }, 'nats-server could not be started again');
      }
    }
  };
  void watch();
  const restart = async (): Promise<void> => {
    const again = started.promise;
    restarting = true;
    await server.stop();
    await withinMs(again, restartMs).finally(() => (restarting = false));
  };
  const stopMending = await mendWriteFailures({ dataDir: options.dataDir, log, mend: restart });
  return {
    url,
    identity: () => identify(server.pid),
    restart,
    stop: async () => {
      stopping = true;
      stopMending();
      await server.stop();
    },
  };
}

async function withinMs(work: Promise<void>, timeoutMs: number): Promise<void> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`NATS does not serve after ${timeoutMs / 1_000} s`)), timeoutMs);
  try {
    await Promise.race([work, late.promise]);
  } finally {
    clearTimeout(timer);
  }
}
