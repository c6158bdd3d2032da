import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { ConnectionRelay, Lifecycle, StopReason } from '@mooring/runtime';
import type { AccessLog } from './access-log.ts';
import type { GatewayConfig } from './config.ts';
import { HttpServer, type HttpServerDeps } from './http-server.ts';
import type { ScoringEdge } from './ports.ts';

export interface GatewayDeps extends Omit<HttpServerDeps, 'ready' | 'scoring' | 'bodyBytesMax'> {
  edge: ScoringEdge;
  config: GatewayConfig;
  accessLog: AccessLog;
  log: Logger;
  /** Told the URL once it is known, e.g. to publish it. */
  announce: (url: string) => Promise<void>;
  /** Moves idle connections between this process and the one that it replaces, or that replaces it. */
  relay?: ConnectionRelay | undefined;
  /** Let go of at the end: watches. */
  release: () => void;
}

const relayName = 'gateway';

/** The data plane's front door for REST callers. */
export class Gateway implements Lifecycle {
  readonly #deps: GatewayDeps;
  readonly #http: HttpServer;
  #url: string | undefined;
  #stopping = false;

  constructor(deps: GatewayDeps) {
    this.#deps = deps;
    const { config, edge } = deps;
    this.#http = new HttpServer({
      ...deps,
      scoring: edge.port,
      bodyBytesMax: config.bodyBytesMax,
      ready: () => this.ready(),
    });
  }

  /** Base URL as bound, without a slash at the end. Throws before `start`. */
  get url(): string {
    if (this.#url === undefined) throw new Error('the gateway does not listen yet');
    return this.#url;
  }

  /** Bytes of request bodies in memory, of at most `bodyMemoryBytesMax`. */
  get bodyBytesHeld(): number {
    return this.#http.bodyBytesHeld;
  }

  facts(): Readonly<Record<string, string>> {
    return this.#url === undefined ? {} : { http: this.#url };
  }

  async start(): Promise<void> {
    this.#deps.relay?.onGiven(relayName, (connection) => this.#http.adopt(connection));
    this.#url = await this.#http.listen();
    await this.#deps.announce(this.#url);
    this.#deps.log.info({ url: this.#url }, 'the gateway listens');
  }

  ready(): boolean {
    return this.#url !== undefined && !this.#stopping && (this.#deps.edge.ready?.() ?? true);
  }

  async stop(signal: AbortSignal, why: StopReason = 'asked'): Promise<void> {
    this.#stopping = true;
    const { relay, config } = this.#deps;
    if (why === 'replaced' && relay !== undefined) {
      const given: Promise<void>[] = [];
      await this.#http.close(signal, (connection) => void given.push(relay.give(relayName, connection)));
      await Promise.all(given);
    } else {
      await delay(config.drainNoticeMs, undefined, { signal }).catch(() => undefined);
      await this.#http.close(signal);
    }
    this.#deps.release();
    await this.#deps.accessLog.close();
  }
}
