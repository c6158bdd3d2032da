import { laterProblem, type SpecProblem } from '@mooring/domain';
import { didYouMean } from '@mooring/errors';
import { childPath } from './child-path.ts';

/** What one reading of a document collects. */
export interface Reading {
  problems: SpecProblem[];
  /** See YamlValue.sources. */
  sources: ReadonlyMap<string, string>;
  /** Takes `"2"` for 2, as Azure's client does in its files; REST does not. */
  quotedNumbers?: boolean;
  /** Passes over keys that no field is for: what a client of another version sends beside those that count. */
  unknownPassed?: boolean;
}

/** Reads one value: what it should be, or undefined after having noted a problem. */
export interface Field<T> {
  read(value: unknown, path: string, reading: Reading): T | undefined;
  required?: boolean;
  /** Taken, but not offered in a hint: what only the server sets, and what comes later. */
  hidden?: boolean;
}

type Value<F> = F extends Field<infer T> ? T : never;
export type Fields = Readonly<Record<string, Field<unknown>>>;
export type ObjectOf<F extends Fields> = { [K in keyof F]?: Value<F[K]> };

export function required<T>(field: Field<T>): Field<T> {
  return { ...field, required: true };
}

/** A field that `az ml` prints and that a file may therefore hold, but that only the server sets. */
export const readOnly: Field<never> = { read: () => undefined, hidden: true };

/** A field whose use asks for something that does not exist yet. */
export function later(capability: string): Field<never> {
  return {
    hidden: true,
    read(_value, path, reading) {
      reading.problems.push(laterProblem(path, capability));
      return undefined;
    },
  };
}

/** Text; numbers and booleans are refused, because YAML may have changed them on the way. */
export function text(rule?: Rule): Field<string> {
  return {
    read(value, path, reading) {
      if (typeof value !== 'string') return wrong(reading, path, value, 'text (in quotes if it looks like a number)');
      if (rule !== undefined && !rule.test(value)) return wrong(reading, path, value, rule.expected);
      return value;
    },
  };
}

/** Text, or any scalar as it was written: `2` is `"2"`, `1.10` is `"1.10"`. */
export const scalarText: Field<string> = {
  read(value, path, reading) {
    if (typeof value === 'string') return value;
    if (value === null) return '';
    if (typeof value === 'object' || value === undefined) return wrong(reading, path, value, 'a single value');
    return reading.sources.get(path) ?? String(value);
  },
};

/** A scalar as text that must follow a rule: names and versions of assets. */
export function ruledScalar(rule: Rule): Field<string> {
  return {
    read(value, path, reading) {
      const read = scalarText.read(value, path, reading);
      if (read === undefined || rule.test(read)) return read;
      return wrong(reading, path, read, rule.expected);
    },
  };
}

export function whole(smallest: number, largest: number = Number.MAX_SAFE_INTEGER): Field<number> {
  const expected =
    largest === Number.MAX_SAFE_INTEGER
      ? `a whole number from ${smallest}`
      : `a whole number from ${smallest} to ${largest}`;
  return {
    read(value, path, reading) {
      const read = numberOf(value, reading);
      const ok = Number.isInteger(read) && read >= smallest && read <= largest;
      return ok ? read : wrong(reading, path, value, expected);
    },
  };
}

export function fraction(smallest: number, largest: number): Field<number> {
  return {
    read(value, path, reading) {
      const read = numberOf(value, reading);
      const ok = read >= smallest && read <= largest;
      return ok ? read : wrong(reading, path, value, `a number from ${smallest} to ${largest}`);
    },
  };
}

function numberOf(value: unknown, { quotedNumbers = false }: Reading): number {
  if (typeof value === 'number') return value;
  const quoted = quotedNumbers && typeof value === 'string' && /^-?\d{1,15}(\.\d{1,15})?$/.test(value);
  return quoted ? Number(value) : Number.NaN;
}

// YAML 1.1, which Azure's client reads, has all of these words; YAML 1.2 only true and false.
const truths = new Set(['true', 'yes', 'on']);
const falsehoods = new Set(['false', 'no', 'off']);

/** A boolean, also as the texts `True` and `False`, which Azure's own examples use, and as `yes` and `no`. */
export const bool: Field<boolean> = {
  read(value, path, reading) {
    if (typeof value === 'boolean') return value;
    const word = typeof value === 'string' ? value.toLowerCase() : '';
    if (truths.has(word) || falsehoods.has(word)) return truths.has(word);
    return wrong(reading, path, value, 'true or false');
  },
};

/**
 * One of the words of `values` (YAML's spelling to REST's), in any case and with or without underscores.
 * `laterValues` maps further words to the capability they ask for.
 */
export function choice(
  values: Readonly<Record<string, string>>,
  laterValues: Readonly<Record<string, string>> = {},
): Field<string> {
  const plainWord = (word: string): string => word.toLowerCase().replaceAll('_', '');
  const find = (table: Readonly<Record<string, string>>, word: string): string | undefined =>
    Object.entries(table).find(([known]) => plainWord(known) === word)?.[1];
  return {
    read(value, path, reading) {
      const word = typeof value === 'string' ? plainWord(value) : '';
      const capability = find(laterValues, word);
      if (capability !== undefined) return later(capability).read(value, path, reading);
      return find(values, word) ?? wrong(reading, path, value, `one of: ${Object.keys(values).join(', ')}`);
    },
  };
}

export interface Rule {
  test: (value: string) => boolean;
  expected: string;
}

export function mapOf<T>(field: Field<T>, keyRule?: Rule): Field<Record<string, T>> {
  return {
    read(value, path, reading) {
      if (!isObject(value)) return wrong(reading, path, value, 'a mapping (key: value)');
      const entries: [string, T][] = [];
      for (const [key, item] of Object.entries(value)) {
        const at = childPath(path, shortened(key) || "''");
        if (key === '') reading.problems.push({ path: at, problem: 'is an empty key', expected: 'a name' });
        else if (keyRule !== undefined && !keyRule.test(key)) {
          reading.problems.push({ path: at, problem: `'${shortened(key)}' is not a name`, expected: keyRule.expected });
        }
        const read = field.read(item, at, reading);
        if (read !== undefined) entries.push([key, read]);
      }
      return Object.fromEntries(entries);
    },
  };
}

export function listOf<T>(field: Field<T>): Field<T[]> {
  return {
    read(value, path, reading) {
      if (!Array.isArray(value)) return wrong(reading, path, value, 'a list');
      return value
        .map((item, index) => field.read(item, childPath(path, index), reading))
        .filter((item): item is Awaited<T> & T => item !== undefined);
    },
  };
}

/** A mapping with these keys and no other. */
export function object<F extends Fields>(fields: F, what = 'a mapping'): Field<ObjectOf<F>> {
  return {
    read(value, path, reading) {
      if (!isObject(value)) return wrong(reading, path, value, `${what} with: ${offered(fields)}`);
      if (reading.unknownPassed !== true) noteUnknownKeys(value, fields, path, reading);
      const entries: [string, unknown][] = [];
      for (const [key, field] of Object.entries(fields)) {
        const at = childPath(path, key);
        const item = Object.hasOwn(value, key) ? value[key] : undefined;
        if (item === undefined || item === null) {
          if (field.required)
            reading.problems.push({ path: at, problem: 'is missing', expected: 'a value: it is required' });
          continue;
        }
        const read = field.read(item, at, reading);
        if (read !== undefined) entries.push([key, read]);
      }
      return Object.fromEntries(entries) as ObjectOf<F>;
    },
  };
}

/** Unknown keys shown before the rest is summed up: a file of the wrong kind should not fill the screen. */
const unknownKeysMax = 20;

function noteUnknownKeys(value: Record<string, unknown>, fields: Fields, path: string, reading: Reading): void {
  const unknown = Object.keys(value).filter((key) => key !== '$schema' && !Object.hasOwn(fields, key));
  let listed = false;
  for (const key of unknown.slice(0, unknownKeysMax)) {
    const hint = didYouMean(key, Object.keys(fields));
    // One list of all fields is a help, ten are noise.
    const expected = hint === '' && !listed ? { expected: `one of: ${offered(fields)}` } : {};
    listed ||= hint === '';
    reading.problems.push({
      path: childPath(path, shortened(key) || "''"),
      problem: `is not a field${hint}`,
      ...expected,
    });
  }
  if (unknown.length > unknownKeysMax) {
    reading.problems.push({
      path: path || '(file)',
      problem: `has ${unknown.length - unknownKeysMax} more unknown fields`,
    });
  }
}

function offered(fields: Fields): string {
  const names = Object.entries(fields).filter(([, field]) => field.hidden !== true);
  return names.map(([name]) => name).join(', ');
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function wrong(reading: Reading, path: string, value: unknown, expected: string): undefined {
  reading.problems.push({ path: path || '(file)', problem: `${shown(value)} is not allowed`, expected });
  return undefined;
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${shortened(value)}'`;
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  return String(value);
}

function shortened(value: string): string {
  // Control characters would let a file write to the terminal that shows the problem.
  const clean = value.replace(/\p{Cc}/gu, '?');
  return clean.length > 60 ? `${clean.slice(0, 57)}...` : clean;
}
