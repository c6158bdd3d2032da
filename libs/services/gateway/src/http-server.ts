import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Logger } from 'pino';
import { PlatformError } from '@mooring/errors';
import { metrics } from '@mooring/telemetry';
import type { AccessLog } from './access-log.ts';
import { parseAddress, type GatewayConfig } from './config.ts';
import { Exchange } from './exchange.ts';
import { answerRequest, type AnswerDeps } from './handlers/answer-request.ts';
import { errorAnswer, type Answer } from './http/answer.ts';
import { protocolError, rawAnswer } from './http/raw-answer.ts';
import { BodyMemory, holdBytes } from './http/read-body.ts';
import { send } from './http/send.ts';
import { observe } from './observe.ts';

export interface HttpServerDeps extends AnswerDeps {
  config: GatewayConfig;
  accessLog: AccessLog;
  log: Logger;
}

const headerBytesMax = 16 * 1024;
const headersMax = 200;
/** How often Node looks for connections that are over their time. */
const timeoutCheckMs = 1_000;
const closingTurnsMax = 100;

/** The data plane's HTTP/1.1 server. */
export class HttpServer {
  readonly #deps: HttpServerDeps;
  readonly #server: Server;
  readonly #memory: BodyMemory;
  /** The request that each connection is busy with, so that a protocol error finds its answer. */
  readonly #current = new WeakMap<Duplex, Exchange>();
  readonly #sockets = new Set<Socket>();
  #open = 0;
  #closing = false;

  constructor(deps: HttpServerDeps) {
    this.#deps = deps;
    const { config } = deps;
    this.#memory = new BodyMemory(config.bodyMemoryBytesMax);
    this.#server = createServer(
      {
        maxHeaderSize: headerBytesMax,
        headersTimeout: config.headersTimeoutMs,
        // Our own timers end a slow body with an answer; this is the net below them.
        requestTimeout: config.headersTimeoutMs + config.bodyTimeoutMs + 5_000,
        keepAliveTimeout: config.keepAliveTimeoutMs,
        connectionsCheckingInterval: timeoutCheckMs,
        noDelay: true,
      },
      (request, response) => this.#accept(request, response),
    );
    this.#server.maxConnections = config.connectionsMax;
    this.#server.maxHeadersCount = headersMax;
    // Without this listener Node would tell the caller to continue before we have looked at the headers.
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) =>
      this.#accept(request, response),
    );
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => this.#refuse(error, socket));
    this.#server.on('connect', (_request: IncomingMessage, socket: Duplex) => {
      socket.on('error', () => undefined);
      socket.end(
        rawAnswer(new PlatformError('method_not_allowed', 'METHOD_NOT_ALLOWED', 'this is not a proxy'), randomUUID()),
      );
    });
  }

  /** Requests without a complete answer. */
  get open(): number {
    return this.#open;
  }

  /** Resolves with the base URL. */
  listen(): Promise<string> {
    const { host, port } = parseAddress(this.#deps.config.http);
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#deps.log.error({ err: error }, 'the HTTP server failed'));
        const { port: bound } = this.#server.address() as AddressInfo;
        resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`);
      });
    });
  }

  /** Takes no further connection, finishes open requests; `signal` ends them. */
  async close(signal: AbortSignal): Promise<void> {
    this.#closing = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closeIdle();
    const force = (): void => this.#server.closeAllConnections();
    if (signal.aborted) force();
    signal.addEventListener('abort', force, { once: true });
    await closed;
    signal.removeEventListener('abort', force);
    // The last requests learn a little after their connections that it is over.
    for (let turn = 0; turn < closingTurnsMax && this.#open > 0; turn += 1) await setImmediate();
  }

  #closeIdle(): void {
    this.#server.closeIdleConnections();
    // Node counts a connection that never said anything as busy.
    for (const socket of this.#sockets) if (socket.bytesRead === 0) socket.destroy();
  }

  #accept(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(request, response, randomUUID(), holdBytes(this.#memory));
    this.#open += 1;
    this.#current.set(request.socket, exchange);
    response.on('close', () => {
      this.#open -= 1;
      if (!response.writableFinished) exchange.abandon();
      exchange.held.giveAll();
      if (exchange.countedInFlight) metrics.inFlight.dec({ endpoint: exchange.endpoint?.name ?? '', deployment: '' });
      observe(exchange, this.#deps.accessLog);
      // An answer whose headers had promised to keep the connection.
      if (this.#closing) process.nextTick(() => this.#server.closeIdleConnections());
    });
    void this.#answer(exchange);
  }

  async #answer(exchange: Exchange): Promise<void> {
    try {
      const answer = await this.#answerOrError(exchange);
      await send(exchange, answer, this.#closing);
    } catch (error) {
      this.#deps.log.error({ err: error, requestId: exchange.requestId }, 'an answer could not be written');
      exchange.response.destroy();
    }
  }

  async #answerOrError(exchange: Exchange): Promise<Answer> {
    try {
      return await answerRequest(this.#deps, exchange);
    } catch (thrown) {
      const error = PlatformError.from(thrown);
      if (error.code === 'internal') {
        this.#deps.log.error({ err: error.cause ?? error, requestId: exchange.requestId }, 'a request failed');
      }
      return errorAnswer(error, exchange.dialect, exchange.requestId);
    }
  }

  /** The parser or a timer gave up on a connection. */
  #refuse(cause: NodeJS.ErrnoException, socket: Socket): void {
    const exchange = this.#current.get(socket);
    const busy = exchange !== undefined && !exchange.response.writableFinished && !exchange.response.destroyed;
    if (cause.code === 'ECONNRESET' || !socket.writable || (busy && exchange.response.headersSent)) {
      socket.destroy();
      return;
    }
    const error = protocolError(cause);
    if (busy) {
      exchange.status = error.httpStatus;
      exchange.error = error;
    }
    socket.end(rawAnswer(error, exchange?.requestId ?? randomUUID()), () => socket.destroy());
  }
}
