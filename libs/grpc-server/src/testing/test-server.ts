import { pino } from 'pino';
import { startGrpcServer, type GrpcServer, type ServerLimits } from '../server.ts';
import { echoService, type EchoSeen } from './echo-service.ts';

export interface TestServer extends GrpcServer {
  seen: EchoSeen;
  setReady(ready: boolean): void;
}

/** The echo service on a free port. */
export async function startTestServer(
  limits: Partial<ServerLimits> = {},
  address = '127.0.0.1:0',
): Promise<TestServer> {
  const echo = echoService();
  let ready = true;
  const server = await startGrpcServer({
    address,
    services: [echo],
    log: pino({ enabled: false }),
    ready: () => ready,
    limits,
  });
  return { ...server, seen: echo.seen, setReady: (value) => (ready = value) };
}
