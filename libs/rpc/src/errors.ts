import { Metadata, status as grpcStatus, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { ErrorInfo } from '@mooring/contracts/common';
import { boundary, codeFromGrpc, errorCodes, PlatformError, type ErrorCode } from '@mooring/errors';

/** Trailer that carries the whole error, so that a client gets the very error that the server threw. */
export const errorTrailer = 'mooring-error-bin';
/** gRPC servers and proxies cap metadata at about 8 KiB. */
const trailerLimitBytes = 6_000;

/** A thrown thing as what grpc-js sends. The text of an unknown error stays on the server. */
export function statusOf(thrown: unknown): StatusObject {
  const error = PlatformError.from(thrown);
  const metadata = new Metadata();
  metadata.set('mooring-reason', error.reason);
  const retryAfterMs = error.retryAfterToldMs;
  if (retryAfterMs !== undefined) metadata.set('retry-after-ms', String(retryAfterMs));
  const info: ErrorInfo = {
    code: error.code,
    reason: error.reason,
    message: error.message,
    problems: error.problems.map((p) => ({ path: p.path, problem: p.problem, expected: p.expected ?? '' })),
    retryAfterMs: error.retryAfterMs ?? 0,
    modelStatus: error.modelStatus ?? 0,
  };
  let encoded = ErrorInfo.encode(info).finish();
  while (encoded.length > trailerLimitBytes && info.problems.length > 0) {
    info.problems = info.problems.slice(0, Math.floor(info.problems.length / 2));
    encoded = ErrorInfo.encode({ ...info, message: info.message.slice(0, 2_000) }).finish();
  }
  if (encoded.length <= trailerLimitBytes) metadata.set(errorTrailer, Buffer.from(encoded));
  return { code: boundary(error.code).grpc, details: error.message.slice(0, 2_000), metadata };
}

/** What a failed call threw, as the error that the server meant. */
export function errorFrom(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  const failure = thrown as Partial<ServiceError>;
  if (typeof failure.code !== 'number') return PlatformError.from(thrown);
  const trailer = failure.metadata?.get(errorTrailer)[0];
  if (Buffer.isBuffer(trailer)) return fromTrailer(trailer, thrown);
  const retry = Number(failure.metadata?.get('retry-after-ms')[0] ?? Number.NaN);
  const reason = failure.metadata?.get('mooring-reason')[0];
  return new PlatformError(
    codeFromGrpc(failure.code),
    typeof reason === 'string' ? reason : (grpcStatus[failure.code] ?? 'UNKNOWN'),
    failure.details ?? 'the call failed',
    { cause: thrown, ...(Number.isFinite(retry) ? { retryAfterMs: retry } : {}) },
  );
}

function fromTrailer(trailer: Buffer, cause: unknown): PlatformError {
  const info = ErrorInfo.decode(trailer);
  const code = errorCodes.includes(info.code as ErrorCode) ? (info.code as ErrorCode) : 'internal';
  return new PlatformError(code, info.reason, info.message, {
    cause,
    problems: info.problems.map((p) => ({
      path: p.path,
      problem: p.problem,
      ...(p.expected ? { expected: p.expected } : {}),
    })),
    ...(info.retryAfterMs > 0 ? { retryAfterMs: info.retryAfterMs } : {}),
    ...(info.modelStatus > 0 ? { modelStatus: info.modelStatus } : {}),
  });
}
