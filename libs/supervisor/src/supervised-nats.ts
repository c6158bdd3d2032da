import type { Logger } from 'pino';
import { startNatsServer, type NatsServer } from '@mooring/messaging';
import { identify, type ProcessIdentity } from '@mooring/runtime';

const restartDelayMs = 200;
const restartDelayMaxMs = 5_000;

export interface SupervisedNats {
  readonly url: string;
  identity(): ProcessIdentity | undefined;
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
  const watch = async (): Promise<void> => {
    let delayMs = restartDelayMs;
    while (!stopping) {
      const how = await server.exited;
      if (stopping) return;
      log.error({ how }, 'nats-server ended; starting it again');
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      try {
        if (stopping) return;
        server = await startNatsServer({ ...options, port: Number(new URL(url).port) });
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
  return {
    url,
    identity: () => identify(server.pid),
    stop: async () => {
      stopping = true;
      await server.stop();
    },
  };
}
