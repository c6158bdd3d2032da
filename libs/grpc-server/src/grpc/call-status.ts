import { status, type Metadata, type ServerErrorResponse, type StatusObject } from '@grpc/grpc-js';
import { statusOf } from '@mooring/rpc';
import { okStatus, type ResponseStatus } from '../http2/response-encoder.ts';
import { CallError } from './call-error.ts';
import { encodeMetadata } from './metadata.ts';

/** Encoded metadata that one block may carry; clients end the whole connection for much more. */
export const metadataMaxBytes = 64 * 1024;

export function statusWith(code: number, message: string, metadata?: Metadata | null): ResponseStatus {
  const extra = encodeMetadata(metadata);
  if (extra === undefined || extra.length <= metadataMaxBytes) return { code, message, extra };
  return {
    code: status.RESOURCE_EXHAUSTED,
    message: `the trailing metadata has ${extra.length} bytes; at most ${metadataMaxBytes} are sent`,
    extra: undefined,
  };
}

export function okWith(trailer: Metadata | null | undefined): ResponseStatus {
  return trailer === null || trailer === undefined ? okStatus : statusWith(status.OK, '', trailer);
}

/**
 * What a handler called back, emitted or threw, as a status. What has no status code of gRPC's goes through the error
 * table, which hides the text of everything but a PlatformError.
 */
export function statusFrom(thrown: unknown, trailer?: Metadata | null): ResponseStatus {
  if (thrown instanceof CallError) return statusWith(thrown.code, thrown.message);
  const given = thrown as Partial<StatusObject> & Partial<ServerErrorResponse>;
  if (Number.isInteger(given?.code)) {
    const text = typeof given.details === 'string' ? given.details : (given.message ?? '');
    return statusWith(given.code ?? status.UNKNOWN, text, trailer ?? given.metadata);
  }
  const { code, details, metadata } = statusOf(thrown);
  return statusWith(code, details, trailer ?? metadata);
}
