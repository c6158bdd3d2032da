import { PlatformError } from '@mooring/errors';
import { isContainerName } from '@mooring/storage';

/** What an input's or output's address names. */
export type Place =
  /** Files of the artifact store. */
  | { kind: 'datastore'; container: string; path: string }
  /** A data asset; without a version, its newest. */
  | { kind: 'data'; name: string; version?: string }
  /** A file of the web. */
  | { kind: 'web'; url: URL };

const long = '(?:subscriptions/[^/]+/resource[gG]roups/[^/]+/(?:providers/[^/]+/)?workspaces/[^/]+/)?';
const datastore = new RegExp(`^(?:azureml:(?://|/)|/)${long}datastores/([^/]+)/paths/(.*)$`, 'i');
const dataId = new RegExp(`^(?:azureml:)?/${long}data/([^/]+)/(versions|labels)/([^/]+)$`, 'i');
const short = /^azureml:([^:@/]+)(?::([^:@/]+)|@latest)$/;

/**
 * Reads an address (azureml-contract 6.1): short and long forms of datastore paths, data assets, and http(s). Anything else, a
 * folder of this machine among it, is refused with what to do.
 */
export function placeOfUri(uri: string): Place {
  const inStore = datastore.exec(uri);
  if (inStore !== null) {
    const [, container = '', path = ''] = inStore;
    if (!isContainerName(container)) throw refused(uri);
    return { kind: 'datastore', container, path: safePath(uri, path) };
  }
  const id = dataId.exec(uri);
  if (id !== null) {
    const [, name = '', by = '', version = ''] = id;
    if (by.toLowerCase() === 'versions') return { kind: 'data', name, version };
    if (version.toLowerCase() === 'latest') return { kind: 'data', name };
  }
  const [, name, version] = short.exec(uri) ?? [];
  if (name !== undefined) return { kind: 'data', name, ...(version === undefined ? {} : { version }) };
  const url = /^https?:/i.test(uri) ? URL.parse(uri) : null;
  if (url !== null) {
    url.hash = '';
    return { kind: 'web', url };
  }
  throw refused(uri);
}

/** Without `.`, `..` and empty names, so that it cannot lead out of its container. */
function safePath(uri: string, path: string): string {
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments.some((segment) => segment === '.' || segment === '..' || /[\p{Cc}\\]/u.test(segment)))
    throw refused(uri);
  return segments.join('/');
}

function refused(uri: string): PlatformError {
  const local = uri.startsWith('/') || uri.startsWith('.') || /^file:/i.test(uri) || /^[a-z]:\\/i.test(uri);
  const hint = local
    ? 'files of this machine are uploaded first: `mooring batch-endpoint invoke --input FOLDER` does it'
    : 'azureml://datastores/<name>/paths/<path>, azureml:<data>:<version>, azureml:<data>@latest or https://<host>/<file>';
  return PlatformError.invalid('the job', [
    {
      path: 'uri',
      problem: `'${uri.replace(/\p{Cc}/gu, '?').slice(0, 200)}' is no place that jobs can use`,
      expected: hint,
    },
  ]);
}
