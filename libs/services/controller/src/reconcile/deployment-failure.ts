import { PlatformError } from '@mooring/errors';

/** Why a deployment cannot be made. `code` is one of Azure's (azureml-contract 3.2.6). */
export class DeploymentFailure extends Error {
  override readonly name = 'DeploymentFailure';
  readonly code: string;
  /** Trying again later may help: something that is needed was not there. */
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
  }

  /** What was thrown, as a failure under `code` unless it says more. */
  static from(thrown: unknown, code = 'InternalServerError'): DeploymentFailure {
    if (thrown instanceof DeploymentFailure) return thrown;
    const error = PlatformError.from(thrown);
    const retryable = error.code === 'unavailable' || error.code === 'deadline_exceeded';
    const azureCode = error.code === 'not_found' ? 'ResourceNotFound' : code;
    return new DeploymentFailure(azureCode, error.message, { retryable, cause: thrown });
  }
}
