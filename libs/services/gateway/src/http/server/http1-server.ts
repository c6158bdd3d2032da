import { setTimeout as delay } from 'node:timers/promises';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { RawConnection } from '@mooring/runtime';
import { Connection } from './connection.ts';
import type { HttpLimits } from './limits.ts';
import type { HttpHandler, ServerState, TickLimits } from './server-state.ts';

/** How long the rest of a body, or the caller's close, is waited for once all is said. */
const lingerMs = 2_000;
/** Connections that wait to be accepted. One more is dropped, and tried again after seconds only. Linux allows 4,096. */
const backlogMax = 4_096;
const tickMsMax = 1_000;
const tickMsMin = 25;
/** So many ticks make the shortest time limit: it is kept to about an eighth. */
const ticksPerLimit = 8;

/**
 * An HTTP/1.1 server over node:net. There are no timers but one, which looks over all connections now and then; so time
 * limits are kept to a tick or two, and never cut short.
 */
export class Http1Server implements ServerState {
  readonly limits: HttpLimits;
  readonly handler: HttpHandler;
  readonly keepAliveLines: string;
  readonly ticks: TickLimits;
  tick = 0;
  closing = false;
  give: ((connection: RawConnection) => void) | undefined;
  readonly #tickMs: number;
  readonly #servers: Server[] = [];
  readonly #connections = new Set<Connection>();
  #clock: NodeJS.Timeout | undefined;
  #onAllLeft: (() => void) | undefined;
  #toWrite: Connection[] = [];
  readonly #writeAll = (): void => {
    const connections = this.#toWrite;
    this.#toWrite = [];
    for (const connection of connections) connection.writeOut();
  };

  constructor(limits: HttpLimits, handler: HttpHandler) {
    this.limits = limits;
    this.handler = handler;
    this.keepAliveLines = `connection: keep-alive\r\nkeep-alive: timeout=${Math.floor(limits.keepAliveTimeoutMs / 1_000)}\r\n`;
    const { headersTimeoutMs, bodyIdleTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs } = limits;
    const shortest = Math.min(headersTimeoutMs, bodyIdleTimeoutMs, bodyTimeoutMs, keepAliveTimeoutMs);
    this.#tickMs = Math.max(tickMsMin, Math.min(tickMsMax, Math.floor(shortest / ticksPerLimit)));
    const ticks = (ms: number): number => Math.ceil(ms / this.#tickMs);
    this.ticks = {
      headers: ticks(headersTimeoutMs),
      bodyIdle: ticks(bodyIdleTimeoutMs),
      body: ticks(bodyTimeoutMs),
      keepAlive: ticks(keepAliveTimeoutMs),
      linger: ticks(lingerMs),
    };
  }

  /**
   * Resolves with the port; `onError` gets what goes wrong later. Of several descriptors all are of one socket: libuv accepts
   * one connection of each in a turn of the event loop, and turns are long when there is much to do.
   */
  async listen(
    address: { host: string; port: number; reusePort?: boolean } | { fds: readonly number[] },
    onError: (error: Error) => void,
  ): Promise<number> {
    const each = 'fds' in address ? address.fds.map((fd) => ({ fd })) : [address];
    const ports = await Promise.all(each.map((one) => this.#listenOn(one, onError)));
    this.#clock = setInterval(() => this.#sweep(), this.#tickMs);
    return ports[0] ?? 0;
  }

  /** Serves a connection that another process has given away. */
  adopt(socket: Socket): void {
    this.#serve(socket, true);
  }

  /**
   * Takes no further connection and finishes open requests; `signal` ends them. Idle connections are closed, or, with
   * `give`, given to whoever serves on: a request may be under way on them that would be lost with a close. Connections are
   * given one by one, so those in use are told first, for `toldMs`, that they end with their next answer.
   */
  async close(signal: AbortSignal, give?: (connection: RawConnection) => void, toldMs = 0): Promise<void> {
    this.closing = true;
    this.give = give;
    const closed = Promise.all(
      this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
    );
    if (toldMs > 0) await Promise.race([this.#allLeft(), delay(toldMs, undefined, { signal }).catch(() => undefined)]);
    for (const connection of this.#connections) connection.closeIfIdle();
    const force = (): void => {
      for (const connection of this.#connections) connection.destroy();
    };
    if (signal.aborted) force();
    signal.addEventListener('abort', force, { once: true });
    await closed;
    await this.#allLeft();
    signal.removeEventListener('abort', force);
    clearInterval(this.#clock);
  }

  leave(connection: Connection): void {
    this.#connections.delete(connection);
    if (this.#connections.size === 0) this.#onAllLeft?.();
  }

  /** All that came is read and answered first, then all is written: callers are woken together, and caches stay warm. */
  writeSoon(connection: Connection): void {
    if (this.#toWrite.push(connection) === 1) setImmediate(this.#writeAll);
  }

  /** node:net counts only the connections that it accepted itself. */
  #allLeft(): Promise<void> {
    if (this.#connections.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onAllLeft = resolve));
  }

  #listenOn(address: object, onError: (error: Error) => void): Promise<number> {
    const server = createServer({ noDelay: true }, (socket) => this.#serve(socket, false));
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      // As an argument: among the options Node looks at it for ports alone.
      server.listen(address, backlogMax, () => {
        server.off('error', reject);
        server.on('error', onError);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  #serve(socket: Socket, kept: boolean): void {
    if (this.#connections.size >= this.limits.connectionsMax) {
      socket.destroy();
      return;
    }
    const connection = new Connection(socket, this, kept);
    this.#connections.add(connection);
    // Given just when this process is being replaced in its turn.
    if (this.closing) connection.closeIfIdle();
  }

  #sweep(): void {
    this.tick += 1;
    for (const connection of this.#connections) connection.sweep(this.tick);
  }
}
