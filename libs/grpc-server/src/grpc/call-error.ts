import type { status } from '@grpc/grpc-js';

/** A fault of the protocol that ends one call with a status of gRPC's own; handlers throw PlatformErrors instead. */
export class CallError extends Error {
  override readonly name = 'CallError';
  readonly code: status;

  constructor(code: status, message: string) {
    super(message);
    this.code = code;
  }
}
