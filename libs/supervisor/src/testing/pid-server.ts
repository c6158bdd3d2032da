/** Answers every line on the inherited socket with its pid; connections that are given to it as well. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { adoptSocket, defineModule, detachSocket, runMain } from '@mooring/runtime';

const listening = defineModule({
  name: 'listening',
  needs: {},
  create: (_needs, { environment, relay }) => {
    if (environment['FAIL_AT_START'] !== undefined) throw new Error('asked to fail');
    const connections = new Set<Socket>();
    const serve = (socket: Socket): void => {
      connections.add(socket);
      socket.on('data', () => socket.write(`${process.pid}\n`));
      socket.on('error', () => undefined);
      socket.on('close', () => connections.delete(socket));
    };
    const server = createServer(serve);
    relay?.onGiven('pids', (connection) => serve(adoptSocket(connection)));
    return {
      start: async () => {
        await new Promise((resolve) => setTimeout(resolve, Number(environment['SLOW_START_MS'] ?? 0)));
        const at = environment['OWN_SOCKET'] === undefined ? { fd: 4 } : { host: '127.0.0.1', port: 0 };
        await new Promise<void>((resolve) => server.listen(at, 1_024, resolve));
      },
      facts: () => ({ pid: String(process.pid), port: String((server.address() as AddressInfo).port) }),
      stop: async () => {
        server.close();
        for (const socket of connections) {
          const raw = detachSocket(socket);
          if (raw !== undefined) await relay?.give('pids', raw);
        }
      },
    };
  },
});

await runMain({ listening }, { target: 'all' });
