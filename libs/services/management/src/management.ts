import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import type { Lifecycle } from '@mooring/runtime';
import { isLoopback, parseAddress, type ManagementSettings } from './config.ts';
import { createAuthenticate } from './http/authenticate.ts';
import { createHttpServer } from './http-server.ts';
import type { ManagementPorts } from './ports.ts';
import { createUploadGrants } from './upload-grants.ts';

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
  #stopping = false;

  constructor(deps: ManagementDeps) {
    const { settings, ports, log } = deps;
    this.#deps = deps;
    this.#app = createHttpServer({
      settings,
      ports,
      log,
      grants: createUploadGrants(ports.auth, settings.uploadTtlMs),
      authenticate: createAuthenticate(ports.auth, settings.tokenCacheMs),
      accepting: () => !this.#stopping,
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
    const url = await this.#app.listen(parseAddress(settings.http));
    this.#url = url;
    await ports.state.announce(url);
    log.info({ url }, 'management listens');
  }

  ready(): boolean {
    return this.#url !== undefined && !this.#stopping && this.#deps.ports.audit.available();
  }

  /** Finishes what is open; `signal` ends it. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopping = true;
    const force = (): void => this.#app.server.closeAllConnections();
    if (signal.aborted) force();
    signal.addEventListener('abort', force, { once: true });
    await this.#app.close();
    signal.removeEventListener('abort', force);
    this.#deps.release();
  }
}
