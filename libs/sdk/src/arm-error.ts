import { codeFromHttp, errorCodes, PlatformError, type ErrorCode, type FieldProblem } from '@mooring/errors';

type Json = Record<string, unknown>;

/**
 * ARM's error envelope (azureml-contract 3.1) as the PlatformError that the server threw: `details` become problems,
 * `additionalInfo` gives our own code and reason back where it carries them; the status decides otherwise.
 */
export function errorOfResponse(status: number, text: string, headers: Headers): PlatformError {
  const error = envelopeOf(text);
  const info = platformInfo(error);
  const code = codeOf(info['code']) ?? codeFromHttp(status);
  const reason = textOf(info['reason']) ?? textOf(error['reason']) ?? textOf(error['code']) ?? `HTTP_${status}`;
  const message = textOf(error['message']) ?? fallbackMessage(status, text);
  const retryAfterMs = retryAfterOf(headers);
  return new PlatformError(code, reason, message, {
    problems: problemsOf(error, info),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** `Retry-After` in ms: seconds or a date; undefined where absent or unreadable. */
export function retryAfterOf(headers: Headers): number | undefined {
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const seconds = Number(value);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

function envelopeOf(text: string): Json {
  try {
    const body: unknown = JSON.parse(text);
    const error = asObject(body)['error'];
    return typeof error === 'string' ? { ...asObject(body), message: error } : asObject(error ?? body);
  } catch {
    return {};
  }
}

function platformInfo(error: Json): Json {
  for (const item of asList(error['additionalInfo'])) {
    const info = asObject(asObject(item)['info']);
    if (info['reason'] !== undefined || info['code'] !== undefined) return info;
  }
  return {};
}

function problemsOf(error: Json, info: Json): FieldProblem[] {
  const own = asList(info['problems']);
  if (own.length > 0) return own.map((item) => problem(asObject(item), 'path', 'problem'));
  return asList(error['details']).map((item) => problem(asObject(item), 'target', 'message'));
}

function problem(item: Json, pathKey: string, problemKey: string): FieldProblem {
  const expected = textOf(item['expected']);
  return {
    path: textOf(item[pathKey]) ?? textOf(item['code']) ?? '(request)',
    problem: textOf(item[problemKey]) ?? 'is not allowed',
    ...(expected === undefined ? {} : { expected }),
  };
}

function fallbackMessage(status: number, text: string): string {
  // Control characters of a foreign answer must not reach a terminal.
  const start = text
    .replace(/\p{Cc}/gu, ' ')
    .trim()
    .slice(0, 300);
  return start === ''
    ? `the server answered with status ${status}`
    : `the server answered with status ${status}: ${start}`;
}

function codeOf(value: unknown): ErrorCode | undefined {
  return errorCodes.find((code) => code === value);
}

export function asObject(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

export function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
