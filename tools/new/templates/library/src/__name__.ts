/** Say what the signature cannot: units, ownership, ordering, failure. */
export function __camel__(text: string): string {
  return text.trim();
}
