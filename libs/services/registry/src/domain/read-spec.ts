import type { z } from 'zod';
import { laterProblem, type ResourceKind, type SpecByKind, type SpecProblem } from '@mooring/domain';
import { didYouMean, PlatformError } from '@mooring/errors';
import { kubernetes, ownContainers, scaling } from './capabilities.ts';
import { neutralSpec } from './neutral-specs.ts';
import { schemaOf } from './spec-schemas.ts';

/** A document with its history of twenty must stay far below what NATS takes in one message. */
export const specBytesMax = 2 ** 20;

export interface SpecReading<K extends ResourceKind> {
  /** With problems: every broken field replaced by a harmless one, so that the rules can still look at the others. */
  spec: SpecByKind[K];
  problems: SpecProblem[];
  /** Top-level fields whose value in `spec` is not the caller's. */
  broken: ReadonlySet<string>;
}

/** Reads and checks the JSON of a spec. Throws only where nothing can be read at all. */
export function readSpec<K extends ResourceKind>(kind: K, specJson: string): SpecReading<K> {
  const raw = parseObject(kind, specJson);
  const schema = schemaOf(kind, raw);
  const first = schema.safeParse(raw);
  if (first.success) return { spec: first.data as unknown as SpecByKind[K], problems: [], broken: new Set() };
  const known = Object.keys(schema.shape);
  const problems = first.error.issues.flatMap((issue) => problemsOf(kind, issue, raw, known));
  const broken = new Set(problems.map(({ path }) => path.split('.')[0] ?? ''));
  const neutral = neutralSpec(kind, raw) as unknown as Readonly<Record<string, unknown>>;
  const mended = Object.fromEntries(
    known.flatMap((field) => {
      if (!broken.has(field)) return Object.hasOwn(raw, field) ? [[field, raw[field]]] : [];
      const fallback = neutral[field];
      return fallback === undefined ? [] : [[field, fallback]];
    }),
  );
  return { spec: schema.parse(mended) as unknown as SpecByKind[K], problems, broken };
}

function parseObject(kind: ResourceKind, specJson: string): Record<string, unknown> {
  const bytes = Buffer.byteLength(specJson);
  if (bytes > specBytesMax) {
    throw new PlatformError(
      'too_large',
      'SPEC_TOO_LARGE',
      `the spec of this ${kind} has ${bytes} bytes; at most ${specBytesMax} are allowed`,
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(specJson);
  } catch {
    // The parser's message quotes the text, which may hold secrets.
    value = undefined;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw PlatformError.invalid(`the spec of a ${kind}`, [
    { path: 'spec', problem: 'is not a JSON object', expected: 'an object' },
  ]);
}

/** Fields that Azure ML knows and Mooring does not yet. */
const laterFields: Readonly<Record<string, string>> = {
  'online-endpoint/compute': kubernetes,
  'online-deployment/resources': kubernetes,
  'online-deployment/containerResourceRequirements': kubernetes,
  'online-deployment/startupProbe': 'startup probes',
  'environment/inferenceConfig': ownContainers,
};

type Issue = z.core.$ZodIssue;

function problemsOf(
  kind: ResourceKind,
  issue: Issue,
  raw: Record<string, unknown>,
  known: readonly string[],
): SpecProblem[] {
  const path = issue.path.map(String).join('.');
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const capability = path === '' ? laterFields[`${kind}/${key}`] : undefined;
      if (capability !== undefined) return laterProblem(key, capability);
      if (path === 'scaleSettings') return laterProblem(`${path}.${key}`, scaling);
      const guess = path === '' ? didYouMean(key, known) : '';
      return { path: path === '' ? key : `${path}.${key}`, problem: `is not a field of this ${kind}${guess}` };
    });
  }
  if (issue.code === 'invalid_key') {
    const expected = expectationOf(issue.issues[0]);
    return [{ path, problem: 'is not an allowed name', ...(expected === undefined ? {} : { expected }) }];
  }
  const { present, value } = lookUp(raw, issue.path);
  if (path === 'scaleSettings.type' && /^target_?utilization$/i.test(String(value)))
    return [laterProblem(path, scaling)];
  const expected = expectationOf(issue);
  const problem = present ? `${shown(path, value)} is not allowed` : 'is missing';
  return [{ path, problem, ...(expected === undefined ? {} : { expected }) }];
}

function expectationOf(issue: Issue | undefined): string | undefined {
  switch (issue?.code) {
    case 'invalid_type':
      return (
        { string: 'text', number: 'a number', int: 'a whole number', boolean: 'true or false', record: 'a map' }[
          issue.expected as string
        ] ?? 'an object'
      );
    case 'invalid_value':
      return issue.values.length === 1 ? String(issue.values[0]) : `one of: ${issue.values.join(', ')}`;
    case 'too_small':
      return `at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string' ? `at most ${issue.maximum} characters` : `at most ${issue.maximum}`;
    case 'custom':
      return issue.params?.['expected'] as string | undefined;
    default:
      return undefined;
  }
}

function lookUp(raw: unknown, path: readonly PropertyKey[]): { present: boolean; value: unknown } {
  let value = raw;
  for (const step of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) {
      return { present: false, value: undefined };
    }
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return { present: true, value };
}

/** A value as a problem may show it: environment variables hold secrets, and long text helps nobody. */
function shown(path: string, value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'an object';
  if (typeof value !== 'string') return path.startsWith('environmentVariables') ? 'this value' : String(value);
  return path.startsWith('environmentVariables') || value.length > 60 ? 'this text' : `'${value}'`;
}
