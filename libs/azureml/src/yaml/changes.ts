import type { SpecProblem } from '@mooring/domain';
import { isObject } from '../reading/fields.ts';
import { parseScalar, type YamlValue } from './read-yaml.ts';
import { childPath } from '../reading/child-path.ts';

/** Changes of a resource given on the command line, in the order set, add, remove. */
export interface Changes {
  /** `a.b=c`, the value typed as YAML types it. */
  sets?: readonly string[] | undefined;
  /** `list=value` appends; `mapping.key=value` adds a key. */
  adds?: readonly string[] | undefined;
  /** `a.b` or `list[0]`. */
  removes?: readonly string[] | undefined;
}

type Step = string | number;

/** The document with the changes made. The input is not modified; what cannot be done is noted in `problems`. */
export function applyChanges(document: YamlValue, changes: Changes, problems: SpecProblem[]): YamlValue {
  const changed = { value: structuredClone(document.value), sources: new Map(document.sources) };
  for (const text of changes.sets ?? []) applyAssignment(changed, text, '--set', problems);
  for (const text of changes.adds ?? []) applyAssignment(changed, text, '--add', problems);
  for (const text of changes.removes ?? []) applyRemove(changed, text, problems);
  return changed;
}

/** The steps of `a.b`, `a."b.c"`, `a['b.c']`, `a[0].b`; undefined where the text is no path. */
export function parsePath(text: string): Step[] | undefined {
  const steps: Step[] = [];
  const part = /(?:^|\.)(?:"([^"]+)"|'([^']+)'|([^.[\]"'=]+))|\[(?:(\d{1,4})|"([^"]+)"|'([^']+)')\]/gy;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return undefined;
    const [, quoted, single, plain, index, inDouble, inSingle] = match;
    steps.push(index === undefined ? (quoted ?? single ?? plain ?? inDouble ?? inSingle ?? '') : Number(index));
  }
  return steps.length === 0 ? undefined : steps;
}

/** Mappings of single values: nothing lies below their keys, so that dots are part of a key. */
const flatMappings = new Set<Step>(['tags', 'properties', 'environment_variables']);

/** As parsePath; `properties.mooring.cpu` is the key `mooring.cpu`. */
function stepsOf(text: string): Step[] | undefined {
  const steps = parsePath(text);
  const [first, ...rest] = steps ?? [];
  const joins = first !== undefined && flatMappings.has(first) && rest.every((step) => typeof step === 'string');
  return joins && rest.length > 1 ? [first, rest.join('.')] : steps;
}

/** The first `=` that is not inside quotes splits path and value. */
function splitAssignment(text: string): [string, string] | undefined {
  const match = /^((?:"[^"]*"|'[^']*'|[^="'])+)=(.*)$/s.exec(text);
  return match === null ? undefined : [match[1]?.trim() ?? '', match[2] ?? ''];
}

function applyAssignment(document: YamlValue, text: string, flag: '--set' | '--add', problems: SpecProblem[]): void {
  const split = splitAssignment(text);
  const steps = split && stepsOf(split[0]);
  if (split === undefined || steps === undefined) {
    problems.push({
      path: flag,
      problem: `'${text.slice(0, 60)}' is not an assignment`,
      expected: 'path=value, such as tags.team=shapes',
    });
    return;
  }
  const given = split[1] === '' ? { value: '', sources: new Map<string, string>() } : parseScalar(split[1]);
  const why = write(document, steps, given, flag === '--add');
  if (why !== undefined) problems.push({ path: `${flag} ${split[0]}`, ...why });
}

type Refusal = { problem: string; expected: string };

function write(document: YamlValue, steps: readonly Step[], given: YamlValue, append: boolean): Refusal | undefined {
  if (document.value === null || document.value === undefined) document.value = {};
  let at: unknown = document.value;
  for (const [depth, step] of steps.slice(0, -1).entries()) {
    const next = childOf(at, step);
    if (next === undefined || next === null) {
      const made = typeof steps[depth + 1] === 'number' ? [] : {};
      const refused = put(at, step, made);
      if (refused !== undefined) return refused;
      at = made;
    } else at = next;
  }
  const last = steps.at(-1) ?? '';
  const present = childOf(at, last);
  if (append && Array.isArray(present)) {
    present.push(given.value);
    moveSources(document, [...steps, present.length - 1], given);
    return undefined;
  }
  const refused = put(at, last, given.value);
  if (refused === undefined) moveSources(document, steps, given);
  return refused;
}

function put(target: unknown, step: Step, value: unknown): Refusal | undefined {
  if (Array.isArray(target)) {
    if (typeof step !== 'number' || step > target.length) {
      return { problem: `there is no place '${step}' in the list`, expected: `an index from 0 to ${target.length}` };
    }
    target[step] = value;
    return undefined;
  }
  if (!isObject(target) || typeof step === 'number') {
    return { problem: `'${step}' has no place in a single value`, expected: 'the path of a field' };
  }
  // Not by assignment: a key `__proto__` must stay an ordinary, refusable key.
  Object.defineProperty(target, step, { value, writable: true, enumerable: true, configurable: true });
  return undefined;
}

function childOf(target: unknown, step: Step): unknown {
  if (Array.isArray(target)) return typeof step === 'number' ? target[step] : undefined;
  return isObject(target) && Object.hasOwn(target, step) ? target[step] : undefined;
}

function moveSources(document: YamlValue, steps: readonly Step[], given: YamlValue): void {
  const base = steps.reduce<string>((path, step) => childPath(path, step), '');
  for (const path of document.sources.keys()) {
    if (path === base || path.startsWith(`${base}.`) || path.startsWith(`${base}[`)) document.sources.delete(path);
  }
  for (const [path, source] of given.sources) {
    document.sources.set(path === '' ? base : path.startsWith('[') ? `${base}${path}` : `${base}.${path}`, source);
  }
}

function applyRemove(document: YamlValue, text: string, problems: SpecProblem[]): void {
  const steps = stepsOf(text.trim());
  const parent = steps?.slice(0, -1).reduce<unknown>((at, step) => childOf(at, step), document.value);
  const last = steps?.at(-1);
  if (steps === undefined || last === undefined || childOf(parent, last) === undefined) {
    problems.push({
      path: '--remove',
      problem: `there is no '${text.slice(0, 60)}'`,
      expected: 'the path of a field that is set',
    });
    return;
  }
  if (Array.isArray(parent)) parent.splice(Number(last), 1);
  else delete (parent as Record<string, unknown>)[last];
}
