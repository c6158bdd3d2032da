import { readFile, stat } from 'node:fs/promises';
import { PlatformError } from '@mooring/errors';
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, parseDocument, type Document } from 'yaml';
import { problemsError, type YamlProblem } from './problems.ts';

/** One YAML document as plain values. */
export interface YamlValue {
  value: unknown;
  /**
   * How numbers, booleans and nulls were written, by path: `version: 1.10` is the number 1.1, and only this knows that
   * the user wrote `1.10`.
   */
  sources: Map<string, string>;
}

/** A resource file is a page or two; anything near this is a mistake, or an attack on the parser. */
const fileBytesMax = 1024 * 1024;
// Few real files use aliases at all; the limit is what stops one that doubles itself a hundred times.
const aliasesMax = 100;
const documentsMax = 100;

export function childPath(path: string, key: string | number): string {
  if (typeof key === 'number') return `${path}[${key}]`;
  return path === '' ? key : `${path}.${key}`;
}

/** Text of a file that should hold YAML. Rejects with `not_found` / FILE_NOT_FOUND or `too_large` / FILE_TOO_LARGE. */
export async function readTextFile(file: string): Promise<string> {
  try {
    const { size } = await stat(file);
    if (size > fileBytesMax) {
      throw new PlatformError(
        'too_large',
        'FILE_TOO_LARGE',
        `${file} has ${size} bytes; at most ${fileBytesMax} are read`,
      );
    }
    return await readFile(file, 'utf8');
  } catch (thrown) {
    if (thrown instanceof PlatformError) throw thrown;
    const code = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
    const why: Record<string, string> = {
      ENOENT: 'there is no such file',
      EISDIR: 'it is a folder',
      EACCES: 'it may not be read',
    };
    const message = `cannot read ${file}: ${why[code] ?? code}`;
    throw new PlatformError(code === 'ENOENT' ? 'not_found' : 'invalid_argument', 'FILE_NOT_FOUND', message, {
      cause: thrown,
    });
  }
}

/** All documents of a YAML text. Throws one error with every syntax problem, each with its line and column. */
export function parseYaml(text: string, what: string): YamlValue[] {
  const documents = documentsOf(text, what);
  const problems = documents.flatMap((document) => syntaxProblems(document));
  if (problems.length > 0) throw problemsError(what, problems);
  return documents.map((document) => plain(document, what)).filter(({ value }) => value !== null);
}

/** A value given on the command line, typed as YAML types scalars: `2`, `true`, `{"a": 1}`, `text`. */
export function parseScalar(text: string): YamlValue {
  try {
    const document = parseDocument(text, { logLevel: 'silent', uniqueKeys: true });
    if (document.errors.length > 0 || document.contents === null) return { value: text, sources: new Map() };
    return plain(document, text);
  } catch {
    return { value: text, sources: new Map() };
  }
}

function documentsOf(text: string, what: string): Document.Parsed[] {
  try {
    const documents = parseAllDocuments(text, { logLevel: 'silent', merge: true, uniqueKeys: true });
    return Array.isArray(documents) ? documents.slice(0, documentsMax) : [];
  } catch (thrown) {
    throw notReadable(what, thrown);
  }
}

function syntaxProblems(document: Document.Parsed): YamlProblem[] {
  return [...document.errors, ...document.warnings].slice(0, 20).map((error) => {
    const [start] = error.linePos ?? [];
    const path = start === undefined ? '(file)' : `line ${start.line}, column ${start.col}`;
    return { path, problem: firstLine(error.message), expected: 'valid YAML' };
  });
}

function plain(document: Document.Parsed, what: string): YamlValue {
  try {
    const sources = new Map<string, string>();
    collectSources(document.contents, '', sources);
    return { value: document.toJS({ maxAliasCount: aliasesMax }) as unknown, sources };
  } catch (thrown) {
    throw notReadable(what, thrown);
  }
}

function collectSources(node: unknown, path: string, sources: Map<string, string>): void {
  if (isAlias(node)) return;
  if (isScalar(node)) {
    if (typeof node.value !== 'string' && node.source !== undefined) sources.set(path, node.source);
  } else if (isMap(node)) {
    for (const { key, value } of node.items) collectSources(value, childPath(path, keyText(key)), sources);
  } else if (isSeq(node)) {
    node.items.forEach((item, index) => collectSources(item, childPath(path, index), sources));
  }
}

function keyText(key: unknown): string {
  return isScalar(key) ? String(key.value) : String(key);
}

/** The parser itself gave up: nested too deeply, or too many aliases. */
function notReadable(what: string, thrown: unknown): PlatformError {
  const why = thrown instanceof RangeError ? 'it is nested too deeply' : firstLine((thrown as Error).message);
  return problemsError(what, [{ path: '(file)', problem: `cannot be read: ${why}`, expected: 'valid YAML' }]);
}

function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}
