import { headerTableBytes } from '../hpack/header-decoder.ts';
import { indexedField, literalField } from '../hpack/header-literals.ts';
import { percentEncode } from '../grpc/status-message.ts';

/** How a call ended. */
export interface ResponseStatus {
  code: number;
  message: string;
  /** Encoded trailing metadata. */
  extra: Buffer | undefined;
}

export const okStatus: ResponseStatus = { code: 0, message: '', extra: undefined };

const acceptedEncodings = 'identity,deflate,gzip';
const status200 = Buffer.from([0x88]);
const contentType = ['content-type', 'application/grpc'] as const;
const acceptEncoding = ['grpc-accept-encoding', acceptedEncodings] as const;
const grpcStatusOk = ['grpc-status', '0'] as const;

const plainHead = Buffer.concat([status200, literalField(...acceptEncoding), literalField(...contentType)]);
const firstHead = Buffer.concat([status200, indexedField(...acceptEncoding), indexedField(...contentType)]);
const plainOk = literalField(...grpcStatusOk);
const firstOk = indexedField(...grpcStatusOk);
// The newest entry of the reader's table has index 62; `grpc-status: 0` comes last and moves the other two on.
const knownHead = Buffer.from([0x88, 0xbf, 0xbe]);
const knownHeadAfterOk = Buffer.from([0x88, 0xc0, 0xbf]);
const knownOk = Buffer.from([0xbe]);
const emptiedTable = Buffer.from([0x20]);

/**
 * Header blocks of gRPC answers. The three fields that every good answer has are put in the reader's table once and are a
 * byte each from then on; nothing else ever enters it. Blocks must be sent in the order in which they are made.
 */
export class ResponseEncoder {
  #tableUsable = true;
  #mustEmpty = false;
  #headKnown = false;
  #okKnown = false;

  /** What the peer's SETTINGS_HEADER_TABLE_SIZE says. */
  limitTable(bytes: number): void {
    if (bytes >= headerTableBytes || !this.#tableUsable) return;
    this.#tableUsable = false;
    this.#headKnown = false;
    this.#okKnown = false;
    // RFC 7541, 4.2: a smaller table must be acknowledged at the start of the next block.
    this.#mustEmpty = true;
  }

  head(extra: Buffer | undefined): Buffer {
    const known = this.#okKnown ? knownHeadAfterOk : knownHead;
    const first = this.#tableUsable ? firstHead : plainHead;
    const block = this.#headKnown ? known : first;
    this.#headKnown = this.#tableUsable;
    return this.#finish(block, extra);
  }

  /** Trailers after a head. */
  trailers(status: ResponseStatus): Buffer {
    if (status.code !== 0) return this.#finish(statusFields(status), status.extra);
    const first = this.#tableUsable ? firstOk : plainOk;
    const block = this.#okKnown ? knownOk : first;
    this.#okKnown = this.#tableUsable;
    return this.#finish(block, status.extra);
  }

  /** An answer that is nothing but a status. */
  trailersOnly(status: ResponseStatus): Buffer {
    return this.#finish(Buffer.concat([plainHead, statusFields(status)]), status.extra);
  }

  /** An answer to what is no gRPC call: an HTTP status, and a gRPC one for clients that look for it. */
  refusal(httpStatus: number, fields: readonly (readonly [string, string])[]): Buffer {
    const parts = [[':status', String(httpStatus)] as const, ...fields].map(([name, value]) =>
      literalField(name, value),
    );
    return this.#finish(Buffer.concat(parts), undefined);
  }

  #finish(block: Buffer, extra: Buffer | undefined): Buffer {
    if (extra === undefined && !this.#mustEmpty) return block;
    const parts = [this.#mustEmpty ? emptiedTable : Buffer.alloc(0), block, extra ?? Buffer.alloc(0)];
    this.#mustEmpty = false;
    return Buffer.concat(parts);
  }
}

function statusFields({ code, message }: ResponseStatus): Buffer {
  const status = literalField('grpc-status', String(code));
  return message === '' ? status : Buffer.concat([status, literalField('grpc-message', percentEncode(message))]);
}
