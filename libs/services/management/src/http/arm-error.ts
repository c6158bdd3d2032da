import type { PlatformError } from '@mooring/errors';

/** Azure's own words for the commonest failures; tools compare with them. */
const armCodes: Readonly<Record<string, string>> = {
  VALIDATION_FAILED: 'BadArgument',
  ENDPOINT_NOT_FOUND: 'ResourceNotFound',
  DEPLOYMENT_NOT_FOUND: 'ResourceNotFound',
  MODEL_NOT_FOUND: 'ResourceNotFound',
  ENVIRONMENT_NOT_FOUND: 'ResourceNotFound',
  CODE_NOT_FOUND: 'ResourceNotFound',
  DATA_NOT_FOUND: 'ResourceNotFound',
  COMPONENT_NOT_FOUND: 'ResourceNotFound',
  JOB_NOT_FOUND: 'ResourceNotFound',
  STALE_ETAG: 'PreconditionFailed',
  UNEXPECTED: 'InternalServerError',
};

const problemsMax = 100;

/**
 * ARM's error envelope (azureml-contract 3.1). `additionalInfo` carries Mooring's own code, reason and problems, so that
 * its clients get the very error back. Never a stack or a cause.
 */
export function armError(error: PlatformError, requestId: string): Record<string, unknown> {
  const { code, reason, message } = error;
  const problems = error.problems.slice(0, problemsMax);
  return {
    error: {
      code: armCodes[reason] ?? pascal(reason),
      message,
      ...(problems[0] === undefined ? {} : { target: problems[0].path }),
      details: problems.map(({ path, problem, expected }) => ({
        code: 'FieldProblem',
        message: expected === undefined ? problem : `${problem} (expected ${expected})`,
        target: path,
      })),
      additionalInfo: [
        {
          type: 'MooringError',
          info: { code, reason, requestId, ...(problems.length === 0 ? {} : { problems }) },
        },
      ],
    },
  };
}

/** `Retry-After` and `WWW-Authenticate`, where the error calls for them. */
export function errorHeaders(error: PlatformError): Record<string, string> {
  const retryLater = error.httpStatus === 429 || error.httpStatus === 503;
  const retryAfterMs = error.retryAfterMs ?? (retryLater ? 1_000 : undefined);
  return {
    ...(retryAfterMs === undefined ? {} : { 'retry-after': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) }),
    ...(error.code === 'unauthenticated' ? { 'www-authenticate': 'Bearer' } : {}),
  };
}

/** `ENDPOINT_BUSY` as `EndpointBusy`. */
function pascal(reason: string): string {
  return reason
    .toLowerCase()
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('');
}
