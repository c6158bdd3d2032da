import { PlatformError } from '@mooring/errors';
import type { Tensor } from '@mooring/tensor';

/** A request of any protocol, decoded but not yet checked against the model. */
export interface InferRequest {
  /** The caller's own id, to be echoed; empty when none. */
  id: string;
  inputs: Tensor[];
  /** Outputs asked for; empty = all. */
  outputs: RequestedOutput[];
  /** Outputs that say nothing themselves go in binary. */
  binaryByDefault: boolean;
}

export interface RequestedOutput {
  name: string;
  /** Undefined: as the request's default says. */
  binary: boolean | undefined;
}

/** Tensors in one request; far more than any model has. */
export const tensorsMax = 1_024;

/** A request that cannot be read: `invalid_argument`. */
export function badRequest(reason: string, message: string): PlatformError {
  return new PlatformError('invalid_argument', reason, message);
}

/** Parameters that ask for what this server does not do. Ignoring them would give a wrong answer, so they are refused. */
export function refuseParameters(owner: string, names: Iterable<string>): void {
  for (const name of names) {
    if (name === 'classification') {
      throw badRequest(
        'CLASSIFICATION_NOT_SUPPORTED',
        `${owner}: the classification extension is not supported; ask for the output itself`,
      );
    }
    if (name.startsWith('shared_memory_')) {
      throw badRequest(
        'SHARED_MEMORY_NOT_SUPPORTED',
        `${owner}: the shared memory extensions are not supported; send the data in the request`,
      );
    }
  }
}

/** Thrown through JsonPieces and before encoding: the model's answer is larger than the deployment allows. */
export function answerTooLarge(limitBytes: number): PlatformError {
  const message = `the answer is larger than ${limitBytes} bytes; ask for less, use binary outputs, or raise mooring.max-response-bytes`;
  return new PlatformError('model_failed', 'RESPONSE_TOO_LARGE', message, { modelStatus: 500 });
}
