import { endpointNameRule, isEndpointName } from '@mooring/domain';
import { msFromIso } from '../reading/durations.ts';
import { mapOf, readOnly, text, wrong, type Field, type Fields } from '../reading/fields.ts';

/** JSON has its own booleans, so that no text passes for one. */
export const strictBool: Field<boolean> = {
  read: (value, path, reading) =>
    typeof value === 'boolean' ? value : wrong(reading, path, value, 'true or false (without quotes)'),
};

/** An ISO-8601 duration as whole milliseconds. */
export function duration(smallestMs: number, largestMs: number): Field<number> {
  return {
    read(value, path, reading) {
      const ms = typeof value === 'string' && value.length <= 64 ? msFromIso(value) : undefined;
      if (ms !== undefined && ms >= smallestMs && ms <= largestMs) return ms;
      const range = `from ${smallestMs / 1000} to ${largestMs / 1000} seconds`;
      return wrong(reading, path, value, `an ISO-8601 duration ${range}, such as PT5S or PT0.5S`);
    },
  };
}

/** The same in seconds, which domain probes count in. */
export function durationSeconds(smallest: number, largest: number): Field<number> {
  const ms = duration(smallest * 1000, largest * 1000);
  return {
    read(value, path, reading) {
      const read = ms.read(value, path, reading);
      return read === undefined ? undefined : read / 1000;
    },
  };
}

/** Any JSON object, kept as it is. */
export const anyObject: Field<Record<string, unknown>> = {
  read: (value, path, reading) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : wrong(reading, path, value, 'an object'),
};

export const textMap = mapOf(text());

export const endpointName = text({ test: isEndpointName, expected: endpointNameRule });

/** What a client may send back because it has read it, though only the server sets it. */
export const envelope = {
  id: readOnly,
  name: readOnly,
  type: readOnly,
  etag: readOnly,
  kind: readOnly,
  systemData: readOnly,
} as const satisfies Fields;

/** Lower-case names to percent; zeros say nothing, so they are dropped, as Azure's SDK does. */
export function lowerCaseShares(table: Readonly<Record<string, number>>): Record<string, number> {
  const shares = Object.entries(table).filter(([, percent]) => percent !== 0);
  return Object.fromEntries(shares.map(([name, percent]) => [name.toLowerCase(), percent]));
}
