import type { SpecProblem } from '@mooring/domain';
import { isAlias, isMap, isScalar, isSeq, Lexer, parseAllDocuments, parseDocument, type Document } from 'yaml';
import { problemsError } from '../reading/problems.ts';
import { childPath } from '../reading/child-path.ts';

/** One YAML document as plain values. */
export interface YamlValue {
  value: unknown;
  /**
   * How numbers, booleans and nulls were written, by path: `version: 1.10` is the number 1.1, and only this knows that
   * the user wrote `1.10`.
   */
  sources: Map<string, string>;
}

// The parser takes time by the square of keys, anchors and aliases: 100 000 keys need minutes. A whole conda file in
// place has some 2 000 tokens.
const tokensMax = 20_000;
const depthMax = 64;
// Few real files use aliases at all; the limit is what stops one that doubles itself a hundred times.
const aliasesMax = 100;
const documentsMax = 100;
const problemsMax = 20;

/** All documents of a YAML text. Throws one error with every syntax problem, each with its line and column. */
export function parseYaml(text: string, what: string): YamlValue[] {
  const tooMuch = excessOf(text);
  if (tooMuch !== undefined) throw notReadable(what, tooMuch);
  const documents = documentsOf(text, what);
  if (documents.length > documentsMax) {
    throw notReadable(what, `it holds ${documents.length} documents, and at most ${documentsMax} are read`);
  }
  const problems = documents.flatMap((document) => syntaxProblems(document));
  if (problems.length > 0) throw problemsError(what, problems);
  const values = documents.map((document) => plain(document));
  const wrong = values.flatMap((value) => value.problems).slice(0, problemsMax);
  if (wrong.length > 0) throw problemsError(what, wrong);
  return values.filter(({ value }) => value !== null);
}

/** A value given on the command line, typed as YAML types scalars: `2`, `true`, `{"a": 1}`, `text`. */
export function parseScalar(text: string): YamlValue {
  const asText = { value: text, sources: new Map<string, string>() };
  try {
    if (excessOf(text) !== undefined) return asText;
    const document = parseDocument(text, { logLevel: 'silent', uniqueKeys: false });
    if (document.errors.length > 0 || document.contents === null) return asText;
    const { problems, ...value } = plain(document);
    return problems.length > 0 ? asText : value;
  } catch {
    return asText;
  }
}

/** What makes a text too much to parse, found in time that grows with its length alone. */
function excessOf(text: string): string | undefined {
  let [tokens, aliases, flowDepth, dashes] = [0, 0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (token.startsWith('*')) aliases += 1;
    if (token === '[' || token === '{') flowDepth += 1;
    else if (token === ']' || token === '}') flowDepth -= 1;
    if (token === '-' || token === '?') dashes += 1;
    else if (token.startsWith('\n') || token.startsWith('\r')) dashes = 0;
    if (tokens > tokensMax) return `it holds more than ${tokensMax} words and signs, which no resource needs`;
    if (aliases > aliasesMax) return `it uses more than ${aliasesMax} aliases`;
    if (flowDepth > depthMax || dashes > depthMax) return tooDeep;
  }
  return undefined;
}

const tooDeep = `it is nested deeper than ${depthMax} levels`;

function documentsOf(text: string, what: string): Document.Parsed[] {
  try {
    // Keys that are there twice are noted later, by their path: the parser compares each key with every other.
    const documents = parseAllDocuments(text, { logLevel: 'silent', merge: true, uniqueKeys: false });
    return Array.isArray(documents) ? documents : [];
  } catch (thrown) {
    throw notReadable(what, reasonOf(thrown));
  }
}

function syntaxProblems(document: Document.Parsed): SpecProblem[] {
  return [...document.errors, ...document.warnings].slice(0, problemsMax).map((error) => {
    const [start] = error.linePos ?? [];
    const path = start === undefined ? '(file)' : `line ${start.line}, column ${start.col}`;
    // The parser notes its own stack overflow as a syntax error.
    const problem = /call stack|stack overflow/i.test(error.message) ? tooDeep : firstLine(error.message);
    return { path, problem, expected: 'valid YAML' };
  });
}

function plain(document: Document.Parsed): YamlValue & { problems: SpecProblem[] } {
  const walk: Walk = { sources: new Map(), problems: [] };
  const failed = (why: string): YamlValue & { problems: SpecProblem[] } => ({
    value: null,
    sources: walk.sources,
    problems: [{ path: '(file)', problem: `cannot be read: ${why}`, expected: 'valid YAML' }],
  });
  try {
    walkNode(document.contents, '', 0, walk);
    if (walk.problems.length > 0) return { value: null, ...walk };
    return { value: document.toJS({ maxAliasCount: aliasesMax }) as unknown, ...walk };
  } catch (thrown) {
    return failed(reasonOf(thrown));
  }
}

interface Walk {
  sources: Map<string, string>;
  problems: SpecProblem[];
}

/** Notes how scalars were written, and keys that are there twice or are no single value. */
function walkNode(node: unknown, path: string, depth: number, walk: Walk): void {
  if (depth > depthMax) throw new RangeError(tooDeep);
  if (isAlias(node)) return;
  if (isScalar(node)) {
    if (typeof node.value !== 'string' && node.source !== undefined) walk.sources.set(path, node.source);
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => walkNode(item, childPath(path, index), depth + 1, walk));
  } else if (isMap(node)) {
    const seen = new Set<string>();
    for (const { key, value } of node.items) {
      const name = nameOfKey(key);
      if (name === undefined) {
        const problem = 'has a key that is no single value';
        walk.problems.push({ path: path || '(file)', problem, expected: 'text before the colon' });
        continue;
      }
      const at = childPath(path, shortened(name));
      if (seen.has(name)) walk.problems.push({ path: at, problem: 'is there twice', expected: 'each key once' });
      seen.add(name);
      walkNode(value, at, depth + 1, walk);
    }
  }
}

/** `1: a` and `"1": a` have the same key; a list, a mapping or an alias is none. */
function nameOfKey(key: unknown): string | undefined {
  if (key === null) return '';
  if (!isScalar(key)) return undefined;
  // The merge key of YAML is a symbol.
  return typeof key.value === 'symbol' ? '<<' : String(key.value ?? '');
}

/** For a path in a message; the whole of a key that is an essay would be none. */
function shortened(name: string): string {
  return name.length > 200 ? `${name.slice(0, 197)}...` : name;
}

function reasonOf(thrown: unknown): string {
  if (thrown instanceof RangeError) return tooDeep;
  return firstLine((thrown as Error).message);
}

/** The parser itself gave up, or was not let near the text. */
function notReadable(what: string, why: string): Error {
  return problemsError(what, [{ path: '(file)', problem: `cannot be read: ${why}`, expected: 'valid YAML' }]);
}

function firstLine(message: string): string {
  const line = (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
  const clean = line.replace(/\p{Cc}/gu, '?');
  return clean.length > 200 ? `${clean.slice(0, 197)}...` : clean;
}
