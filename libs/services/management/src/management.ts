import { isIP, Server } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { isLoopback, parseAddress } from '@mooring/config';
import type { Lifecycle, StopReason } from '@mooring/runtime';
import type { ManagementSettings } from './config.ts';
import { createAuthenticate } from './http/authenticate.ts';
import { createHttpServer } from './http-server.ts';
import type { ManagementPorts } from './ports.ts';
import { createUploadGrants } from './upload-grants.ts';

/** Clients close connections that they do not use for longer, or ask on them: fetch after 4 s by default. */
const silentMs = 5_000;

export interface ManagementDeps {
  settings: ManagementSettings;
  ports: ManagementPorts;
  log: Logger;
  /** Let go of at the end: connections, watches. */
  release: () => void;
}

/** The control plane's front door: ARM's REST, uploads, metrics, audit. */
export class Management implements Lifecycle {
  readonly #deps: ManagementDeps;
  readonly #app: FastifyInstance;
  #url: string | undefined;
  #stopping: StopReason | undefined;

  constructor(deps: ManagementDeps) {
    const { settings, ports, log } = deps;
    this.#deps = deps;
    this.#app = createHttpServer({
      settings,
      ports,
      log,
      grants: createUploadGrants(ports.auth, settings.uploadTtlMs),
      authenticate: createAuthenticate(ports.auth, settings.tokenCacheMs),
      accepting: () => this.#stopping === undefined || this.#stopping === 'replaced',
      leaving: () => this.#stopping !== undefined,
      ready: () => this.ready(),
      ownUrl: () => this.url,
      loopback: isLoopback(settings.http),
    });
  }

  /** Base URL as bound, without a slash at the end. Throws before `start`. */
  get url(): string {
    if (this.#url === undefined) throw new Error('management does not listen yet');
    return this.#url;
  }

  facts(): Readonly<Record<string, string>> {
    return this.#url === undefined ? {} : { management: this.#url };
  }

  async start(): Promise<void> {
    const { settings, ports, log } = this.#deps;
    const { host, port } = parseAddress(settings.http);
    const { listenFd } = settings;
    const url = await this.#app.listen(listenFd === undefined ? { host, port } : inherited(host, listenFd));
    this.#url = url;
    await ports.state.announce(url);
    log.info({ url }, 'management listens');
  }

  ready(): boolean {
    return this.#url !== undefined && this.#stopping === undefined && this.#deps.ports.audit.available();
  }

  /** Finishes what is open; `signal` ends it. */
  async stop(signal: AbortSignal, why: StopReason = 'asked'): Promise<void> {
    this.#stopping = why;
    if (why === 'replaced') await this.#leave(signal);
    const force = (): void => this.#app.server.closeAllConnections();
    if (signal.aborted) force();
    signal.addEventListener('abort', force, { once: true });
    await this.#app.close();
    signal.removeEventListener('abort', force);
    this.#deps.release();
  }

  /**
   * Takes no further connection, and answers what comes on those that are open, saying that they will be closed: a request
   * may be under way on one that looks idle. Those that stay silent are left to `close`.
   */
  async #leave(signal: AbortSignal): Promise<void> {
    // Of node:net: node:http's own would close idle connections at once.
    const allClosed = new Promise<void>((resolve) => Server.prototype.close.call(this.#app.server, () => resolve()));
    await Promise.race([allClosed, delay(silentMs, undefined, { signal }).catch(() => undefined)]);
  }
}

/** A host of several addresses would be listened on at each. */
function inherited(host: string, fd: number): { host: string; fd: number } {
  return { host: isIP(host) === 0 ? '127.0.0.1' : host, fd };
}
