import type { PlatformError } from '@mooring/errors';
import type { RawConnection } from '@mooring/runtime';
import type { Connection } from './connection.ts';
import type { HttpRequest } from './http-request.ts';
import type { HttpLimits } from './limits.ts';

/** Who answers. */
export interface HttpHandler {
  /** Answers by `request.respond`, now or later. Must not throw. */
  handle(request: HttpRequest): void;
  /** The whole answer, as text, for what never became a request. */
  refuse(error: PlatformError): string;
}

/** Time limits in ticks of the server's clock. */
export interface TickLimits {
  headers: number;
  bodyIdle: number;
  body: number;
  keepAlive: number;
  linger: number;
}

/** What the connections of one server share. */
export interface ServerState {
  readonly limits: HttpLimits;
  readonly ticks: TickLimits;
  readonly handler: HttpHandler;
  /** Header lines of an answer after which the connection goes on. */
  readonly keepAliveLines: string;
  /** Grows by one with every sweep over the connections. */
  readonly tick: number;
  /** True once no further connection is taken. */
  readonly closing: boolean;
  /** Takes idle connections once no further one is taken here. */
  readonly give: ((connection: RawConnection) => void) | undefined;
  leave(connection: Connection): void;
  /** Has `connection.writeOut` called at the end of this turn of the event loop. */
  writeSoon(connection: Connection): void;
}
