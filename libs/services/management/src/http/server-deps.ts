import type { Logger } from 'pino';
import type { ManagementSettings } from '../config.ts';
import type { ManagementPorts } from '../ports.ts';
import type { UploadGrants } from '../upload-grants.ts';
import type { Authenticate } from './authenticate.ts';

export interface HttpServerDeps {
  settings: ManagementSettings;
  ports: ManagementPorts;
  grants: UploadGrants;
  authenticate: Authenticate;
  log: Logger;
  /** False once it stops for good: new requests are sent away. */
  accepting: () => boolean;
  /** True once it stops: answers say that their connection ends. */
  leaving: () => boolean;
  ready: () => boolean;
  /** Where the server listens; asked only once it does. */
  ownUrl: () => string;
  /** True while only this machine can reach the server. */
  loopback: boolean;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Who calls; empty before that is known, and where nobody needs to be known. */
    principal: string;
    startedAt: number;
  }
  interface FastifyContextConfig {
    /** See Route.action. */
    action?: string;
    /** Who may call without the management token: everybody, or whoever holds a signed address. */
    open?: 'everybody' | 'signed';
  }
}
