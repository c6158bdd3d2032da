import { Metadata } from '@grpc/grpc-js';
import { literalField } from '../hpack/header-literals.ts';

const printable = /^[ -~]*$/;

/**
 * Metadata of a request: name, value, name, value, ... A value that metadata cannot hold is empty there: that something
 * was sent is still to be seen.
 */
export function metadataFrom(fields: readonly string[]): Metadata {
  const metadata = new Metadata();
  for (let at = 0; at < fields.length; at += 2) {
    const name = fields[at] ?? '';
    const value = fields[at + 1] ?? '';
    if (name.endsWith('-bin')) {
      for (const part of value.split(',')) metadata.add(name, Buffer.from(part.trim(), 'base64'));
    } else metadata.add(name, printable.test(value) ? value : '');
  }
  return metadata;
}

/** Names that belong to the protocol; whatever a handler puts there is not sent. */
const reserved = new Set([
  'grpc-status',
  'grpc-message',
  'grpc-encoding',
  'grpc-accept-encoding',
  'content-type',
  'content-length',
  'te',
  'connection',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
]);

/** Metadata of an answer as a piece of a header block; undefined when there is none. */
export function encodeMetadata(metadata: Metadata | null | undefined): Buffer | undefined {
  if (metadata === null || metadata === undefined) return undefined;
  const fields: Buffer[] = [];
  for (const [name, values] of Object.entries(metadata.toHttp2Headers())) {
    if (reserved.has(name) || values === undefined) continue;
    // Spaces at the ends are no part of a value in HTTP/2.
    for (const value of Array.isArray(values) ? values : [values])
      fields.push(literalField(name, String(value).trim()));
  }
  return fields.length === 0 ? undefined : Buffer.concat(fields);
}
