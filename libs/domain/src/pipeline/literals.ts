/** Literal inputs of components: texts, numbers and truths (azureml-contract 1.7). */

export type Literal = string | number | boolean;
export type LiteralType = 'string' | 'number' | 'integer' | 'boolean';

export interface LiteralRule {
  type: LiteralType;
  /** Of numbers. */
  min?: number;
  max?: number;
  /** The only values that are allowed. */
  enum?: readonly Literal[];
}

/** Longer texts belong into files. */
const charactersMax = 8_192;

/**
 * `value` as its type wants it (numbers and truths may come as text, as Azure's client sends them), or what would be right, for people.
 */
export function readLiteral(value: unknown, rule: LiteralRule): { value: Literal } | { expected: string } {
  const read = ofType(value, rule.type);
  if (read === undefined) return { expected: expectations[rule.type] };
  const { min, max } = rule;
  if (typeof read === 'number' && min !== undefined && read < min) return { expected: `a number from ${min} on` };
  if (typeof read === 'number' && max !== undefined && read > max) return { expected: `a number up to ${max}` };
  const allowed = rule.enum?.map((one) => ofType(one, rule.type));
  if (allowed !== undefined && !allowed.includes(read)) return { expected: `one of: ${allowed.join(', ')}` };
  return { value: read };
}

const expectations: Readonly<Record<LiteralType, string>> = {
  string: `text of at most ${charactersMax} characters, without NUL`,
  number: 'a number',
  integer: 'a whole number',
  boolean: 'true or false',
};

function ofType(value: unknown, type: LiteralType): Literal | undefined {
  if (type === 'boolean') {
    if (typeof value === 'boolean') return value;
    const word = typeof value === 'string' ? value.toLowerCase() : '';
    return word === 'true' ? true : word === 'false' ? false : undefined;
  }
  if (type === 'string') {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined;
    const text = literalText(value);
    return text.length <= charactersMax && !text.includes('\0') ? text : undefined;
  }
  const number = typeof value === 'string' && isNumberText(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number)) return undefined;
  return type === 'number' || Number.isSafeInteger(number) ? number : undefined;
}

function isNumberText(text: string): boolean {
  return /^-?\d{1,20}(\.\d{1,20})?(e[-+]?\d{1,3})?$/i.test(text);
}

/** As a command line gets it: truths as Python writes them, because Azure does. */
export function literalText(value: Literal): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}
