/**
 * Command lines of components: text with `${{inputs.x}}` and `${{outputs.y}}`, and `$[[...]]` around what is left out when an input in it
 * is not given (azureml-contract 1.7).
 */

export type LinePart =
  | { kind: 'text'; text: string }
  | { kind: 'value'; of: 'inputs' | 'outputs'; name: string }
  | { kind: 'optional'; parts: readonly Exclude<LinePart, { kind: 'optional' }>[] };

const expression = /^\s*(inputs|outputs)\.([A-Za-z_]\w*)(?:\.path)?\s*$/;
const lineCharactersMax = 65_536;

/** The parts of a line, and what in it is none, in words. */
export function readCommandLine(line: string): { parts: LinePart[]; problems: string[] } {
  if (line.length > lineCharactersMax) {
    return { parts: [], problems: [`has ${line.length} characters; at most ${lineCharactersMax} are allowed`] };
  }
  if (line.includes('\0')) return { parts: [], problems: ['holds a NUL character'] };
  const problems: string[] = [];
  const parts: LinePart[] = [];
  let at = 0;
  for (;;) {
    const open = line.indexOf('$[[', at);
    parts.push(...plainParts(line.slice(at, open < 0 ? line.length : open), problems));
    if (open < 0) return { parts, problems };
    const close = line.indexOf(']]', open);
    if (close < 0) {
      problems.push('has a $[[ without ]]');
      return { parts, problems };
    }
    const inside = plainParts(line.slice(open + 3, close), problems);
    parts.push({ kind: 'optional', parts: inside });
    at = close + 2;
  }
}

function plainParts(text: string, problems: string[]): Exclude<LinePart, { kind: 'optional' }>[] {
  const parts: Exclude<LinePart, { kind: 'optional' }>[] = [];
  let at = 0;
  for (;;) {
    const open = text.indexOf('${{', at);
    const before = text.slice(at, open < 0 ? text.length : open);
    if (before !== '') parts.push({ kind: 'text', text: before });
    if (open < 0) return parts;
    const close = text.indexOf('}}', open);
    const inside = close < 0 ? '' : text.slice(open + 3, close);
    const [, of, name] = expression.exec(inside) ?? [];
    if (of === undefined || name === undefined) {
      const shown = text.slice(open, close < 0 ? open + 60 : Math.min(close + 2, open + 60)).replace(/\p{Cc}/gu, '?');
      problems.push(`holds '${shown}', which is none of \${{inputs.<name>}} and \${{outputs.<name>}}`);
      if (close < 0) return parts;
    } else parts.push({ kind: 'value', of: of as 'inputs' | 'outputs', name });
    at = close + 2;
  }
}

/** What a line names, in its order; `optional`: only within `$[[...]]`. */
export function namesIn(
  parts: readonly LinePart[],
  optional = false,
): { of: 'inputs' | 'outputs'; name: string; optional: boolean }[] {
  return parts.flatMap((part) => {
    if (part.kind === 'text') return [];
    return part.kind === 'optional' ? namesIn(part.parts, true) : [{ of: part.of, name: part.name, optional }];
  });
}

/** The values of a line's names; one that is not there is an optional input that was not given. */
export interface LineValues {
  inputs: Readonly<Record<string, string>>;
  outputs: Readonly<Record<string, string>>;
}

/** The parts that are left for these values. An input that is not given is nothing outside of `$[[...]]`. */
export function givenParts(
  parts: readonly LinePart[],
  values: LineValues,
): ({ kind: 'text'; text: string } | { kind: 'value'; value: string })[] {
  return parts.flatMap((part) => {
    if (part.kind === 'text') return [part];
    if (part.kind === 'optional') {
      const whole = part.parts.every((one) => one.kind === 'text' || valueOf(one, values) !== undefined);
      return whole ? givenParts(part.parts, values) : [];
    }
    const value = valueOf(part, values);
    return value === undefined ? [] : [{ kind: 'value' as const, value }];
  });
}

function valueOf({ of, name }: { of: 'inputs' | 'outputs'; name: string }, values: LineValues): string | undefined {
  return Object.hasOwn(values[of], name) ? values[of][name] : undefined;
}
