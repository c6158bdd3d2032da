/** Stands for a query that is not kept. */
export const hiddenQuery = '?...';

/** An address of the web without its query, which often holds a signature that opens it; any other as it is. */
export function withoutQuery(uri: string): string {
  return /^https?:/i.test(uri) ? uri.replace(/[?#].*$/s, (rest) => (rest.startsWith('?') ? hiddenQuery : '')) : uri;
}
