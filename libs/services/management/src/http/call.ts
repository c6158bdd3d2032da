import type { IncomingHttpHeaders } from 'node:http';
import type { Workspace } from '@mooring/azureml/arm';

/** One authenticated request of the control plane, as handlers see it. */
export interface Call {
  /** Names in the path, decoded, as the caller wrote them. */
  params: Readonly<Record<string, string>>;
  query: Readonly<Record<string, unknown>>;
  headers: IncomingHttpHeaders;
  /** Parsed JSON; undefined when there was no body. */
  body: unknown;
  principal: string;
  /** Base of this server's addresses as the caller reaches it: `http://127.0.0.1:8082`. */
  baseUrl: string;
  /** Path as the caller wrote it, without the query. */
  path: string;
  workspace: Workspace;
  /** Aborted when the caller has gone. */
  signal: AbortSignal;
}

export interface Answer {
  status: number;
  /** JSON, unless `contentType` says that it is text. */
  body?: unknown;
  contentType?: string;
  headers?: Readonly<Record<string, string>>;
}

export type Handler = (call: Call) => Promise<Answer> | Answer;

export function ok(body: unknown, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, body, headers };
}

/** The caller's `api-version`, to be echoed in addresses; any is accepted. */
export function apiVersionOf({ query }: Pick<Call, 'query'>): string {
  const given = Object.entries(query).find(([name]) => name.toLowerCase() === 'api-version')?.[1];
  return typeof given === 'string' && /^[\w.-]{1,64}$/.test(given) ? given : '2024-04-01';
}
