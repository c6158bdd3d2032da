import { z } from 'zod';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Every setting that is wrong, at once. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/**
 * `requestTimeoutMs` under prefix `ROUTER` is read from `MOORING_ROUTER_REQUEST_TIMEOUT_MS`; under the empty prefix,
 * which holds what every process shares, `data` is read from `MOORING_DATA`.
 */
function variableName(prefix: string, key: string): string {
  return `MOORING_${prefix === '' ? '' : `${prefix}_`}${key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()}`;
}

/**
 * The only reader of the process environment. Reads each key of `schema` from its variable, applies the schema's
 * defaults and rules, and freezes the result. `overrides` (from flags) win over the environment.
 * Throws ConfigError naming every variable that is wrong.
 */
export function readConfig<S extends z.ZodType>(
  prefix: string,
  schema: S,
  environment: Environment = process.env,
  overrides: Readonly<Record<string, unknown>> = {},
): Readonly<z.output<S>> {
  const raw: Record<string, unknown> = {};
  for (const key of keysOf(schema)) {
    const value = overrides[key] ?? environment[variableName(prefix, key)];
    if (value !== undefined && value !== '') raw[key] = value;
  }
  const result = schema.safeParse(raw);
  if (result.success) return Object.freeze(result.data as object) as Readonly<z.output<S>>;
  const lines = result.error.issues.map((issue) => {
    const key = String(issue.path[0] ?? '');
    return `  ${key === '' ? prefix : variableName(prefix, key)}: ${issue.message}`;
  });
  throw new ConfigError(`invalid configuration:\n${lines.join('\n')}`);
}

function keysOf(schema: z.ZodType): string[] {
  if (schema instanceof z.ZodObject) return Object.keys(schema.shape as object);
  throw new TypeError('a configuration schema must be a z.object()');
}
