import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Logger } from 'pino';
import { parseAddress } from '@mooring/config';
import { PlatformError } from '@mooring/errors';
import { adoptSocket, type RawConnection } from '@mooring/runtime';
import type { KeptRequests } from '@mooring/telemetry';
import type { AccessLog } from './access-log.ts';
import type { GatewayConfig } from './config.ts';
import { Exchange, type ExchangeObserver } from './exchange.ts';
import { answerRequest, type AnswerDeps } from './handlers/answer-request.ts';
import { RequestPlanner } from './handlers/request-plan.ts';
import { errorAnswer, type Answer } from './http/answer.ts';
import { rawAnswer } from './http/raw-answer.ts';
import { BodyMemory, HeldBytes } from './http/read-body.ts';
import { compressed, isCompressible, send } from './http/send.ts';
import { Http1Server } from './http/server/http1-server.ts';
import type { HttpRequest } from './http/server/http-request.ts';
import { defaultLimits } from './http/server/limits.ts';
import type { HttpHandler } from './http/server/server-state.ts';
import { keepRefused } from './keep-request.ts';
import { Meters } from './meters.ts';
import { observe } from './observe.ts';

export interface HttpServerDeps extends Omit<AnswerDeps, 'planner' | 'meters'> {
  config: GatewayConfig;
  accessLog: AccessLog;
  requests: KeptRequests;
  log: Logger;
}

const closingTurnsMax = 100;
/** Before idle connections move to the next process: most of those in use have an answer by then. */
const toldMs = 1_000;

/** The data plane's HTTP server: an exchange for each request, from its head to its access line. */
export class HttpServer implements HttpHandler, ExchangeObserver {
  readonly #deps: HttpServerDeps & AnswerDeps;
  readonly #server: Http1Server;
  readonly #memory: BodyMemory;
  readonly #meters = new Meters();
  #open = 0;

  constructor(deps: HttpServerDeps) {
    const { config } = deps;
    this.#deps = { ...deps, planner: new RequestPlanner(config.domain), meters: this.#meters };
    this.#memory = new BodyMemory(config.bodyMemoryBytesMax);
    this.#server = new Http1Server({ ...defaultLimits, ...config }, this);
  }

  /** Requests without a complete answer. */
  get open(): number {
    return this.#open;
  }

  /** Bytes of request bodies in memory. */
  get bodyBytesHeld(): number {
    return this.#memory.taken;
  }

  /** Resolves with the base URL. */
  async listen(): Promise<string> {
    const { http, reusePort, listenFd } = this.#deps.config;
    const { host, port } = parseAddress(http);
    const at = listenFd === undefined ? { host, port, reusePort } : { fds: listenFd };
    const bound = await this.#server.listen(at, (error) =>
      this.#deps.log.error({ err: error }, 'the HTTP server failed'),
    );
    return `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
  }

  /** Serves a connection that another process of the same listening socket gave away. */
  adopt(connection: RawConnection): void {
    this.#server.adopt(adoptSocket(connection));
  }

  /** Takes no further connection, finishes open requests; `signal` ends them. Idle connections go to `give`, or are closed. */
  async close(signal: AbortSignal, give?: (connection: RawConnection) => void): Promise<void> {
    await this.#server.close(signal, give, give === undefined ? 0 : toldMs);
    // The last requests learn a little after their connections that it is over.
    for (let turn = 0; turn < closingTurnsMax && this.#open > 0; turn += 1) await setImmediate();
  }

  handle(request: HttpRequest): void {
    const exchange = new Exchange(request, randomUUID(), new HeldBytes(this.#memory), this);
    this.#open += 1;
    this.#answer(exchange);
  }

  refuse(error: PlatformError): string {
    const requestId = randomUUID();
    this.#logFault(error, requestId);
    keepRefused(requestId, error.httpStatus, error.reason, this.#deps.requests);
    return rawAnswer(error, requestId);
  }

  finished(exchange: Exchange): void {
    this.#open -= 1;
    exchange.held.giveAll();
    if (exchange.meters !== undefined) exchange.meters.inFlight.value -= 1;
    observe(exchange, this.#meters, this.#deps);
  }

  /** Without a turn where nothing has to be waited for. */
  #answer(exchange: Exchange): void {
    const failed = (thrown: unknown): Answer => {
      const error = PlatformError.from(thrown);
      this.#logFault(error, exchange.requestId);
      return errorAnswer(error, exchange.dialect, exchange.requestId);
    };
    let answer: Answer | Promise<Answer>;
    try {
      answer = answerRequest(this.#deps, exchange);
    } catch (thrown) {
      answer = failed(thrown);
    }
    if (answer instanceof Promise) void answer.catch(failed).then((given) => this.#send(exchange, given));
    else this.#send(exchange, answer);
  }

  #send(exchange: Exchange, answer: Answer): void {
    const lost = (error: unknown): void => {
      this.#deps.log.error({ err: error, requestId: exchange.requestId }, 'an answer could not be written');
      exchange.request.destroy();
    };
    try {
      if (!isCompressible(answer)) send(exchange, answer);
      else
        void compressed(exchange, answer)
          .then((given) => send(exchange, given))
          .catch(lost);
    } catch (error) {
      lost(error);
    }
  }

  #logFault(error: PlatformError, requestId: string): void {
    if (error.code === 'internal') this.#deps.log.error({ err: error.cause ?? error, requestId }, 'a request failed');
  }
}
