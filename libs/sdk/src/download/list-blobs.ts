import type { CallOptions } from '../arm-rest.ts';
import { deadlineSignal, networkError, readText, withRetries, type Http } from '../http.ts';

export interface ListedBlob {
  /** Below the container. */
  path: string;
  bytes: number;
}

const deadlineMs = 30_000;
const pageBytesMax = 64 * 1024 * 1024;

/** The blobs below a prefix, page by page (azureml-contract 10.5), in the order of their paths. */
export async function* listBlobs(
  http: Http,
  address: string,
  prefix: string,
  { signal }: CallOptions,
): AsyncGenerator<ListedBlob> {
  let marker = '';
  do {
    const query = new URLSearchParams({
      restype: 'container',
      comp: 'list',
      prefix,
      ...(marker === '' ? {} : { marker }),
    });
    const path = `${address}?${query.toString()}`;
    const text = await withRetries(() => page(http, path, signal), signal);
    for (const [, blob = ''] of text.matchAll(/<Blob>(.*?)<\/Blob>/gs)) {
      yield { path: elementOf(blob, 'Name'), bytes: Number(elementOf(blob, 'Content-Length')) };
    }
    const next = elementOf(text, 'NextMarker');
    // A server that says the same again would be asked for ever.
    marker = next === marker ? '' : next;
  } while (marker !== '');
}

async function page(http: Http, path: string, signal: AbortSignal | undefined): Promise<string> {
  try {
    return await readText(
      await http.open({ method: 'GET', path, signal: deadlineSignal(deadlineMs, signal) }),
      pageBytesMax,
    );
  } catch (thrown) {
    throw networkError(thrown, { address: 'the artifact store', deadlineMs, signal });
  }
}

function elementOf(xml: string, name: string): string {
  const text = new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? '';
  return text.replaceAll('&lt;', '<').replaceAll('&gt;', '>').replaceAll('&quot;', '"').replaceAll('&amp;', '&');
}
