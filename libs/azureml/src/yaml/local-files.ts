import type { SpecProblem } from '@mooring/domain';
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { didYouMean, PlatformError, type FieldProblem } from '@mooring/errors';
import { stringify } from 'yaml';
import type { LocalFiles } from './drafts.ts';
import { isObject } from '../reading/fields.ts';
import { shownPath } from '../reading/problems.ts';
import { readTextFile } from './read-text.ts';
import { parseYaml } from './read-yaml.ts';

/** Checks one Python file's syntax; resolves to what is wrong, or undefined. `path` names the field to blame. */
export type ScriptCheck = (file: string, path: string) => Promise<FieldProblem | undefined>;

/** What the checks of one document share. */
export interface LocalContext {
  /** Folder that relative paths start from: the YAML file's own. */
  baseDir: string;
  problems: SpecProblem[];
  checkScript?: ScriptCheck | undefined;
}

type Found = { files: LocalFiles; folder: boolean };

/** A file or folder that must exist and hold something. */
export async function localPath(value: string, path: string, context: LocalContext): Promise<Found | undefined> {
  const absolute = resolve(context.baseDir, value);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined || !(found.isFile() || found.isDirectory())) {
    const what = found === undefined ? 'nothing' : 'no file or folder, but a device, pipe or socket,';
    context.problems.push({
      path,
      problem: `there is ${what} at ${shownPath(absolute)}`,
      expected: `a path relative to ${context.baseDir}`,
    });
    return undefined;
  }
  if (found.isDirectory() && (await readdir(absolute).catch(() => [])).length === 0) {
    context.problems.push({
      path,
      problem: `the folder ${shownPath(absolute)} is empty or may not be read`,
      expected: 'a folder with files',
    });
    return undefined;
  }
  return { files: { path: absolute, name: basename(absolute) || 'root' }, folder: found.isDirectory() };
}

export async function localFolder(value: string, path: string, context: LocalContext): Promise<LocalFiles | undefined> {
  const found = await localPath(value, path, context);
  if (found === undefined || found.folder) return found?.files;
  context.problems.push({ path, problem: `${found.files.path} is a file`, expected: 'a folder' });
  return undefined;
}

/** A file inside `folder`, named relative to it. Resolves to its absolute path. */
export async function fileInside(
  folder: string,
  value: string,
  path: string,
  context: LocalContext,
): Promise<string | undefined> {
  const absolute = resolve(folder, value);
  const expected = `a path relative to ${folder}`;
  if (isAbsolute(value) || !isInside(folder, absolute)) {
    context.problems.push({ path, problem: `'${shownPath(value)}' is not inside ${folder}`, expected });
    return undefined;
  }
  const found = await stat(absolute).catch(() => undefined);
  if (found?.isFile()) {
    const target = await realpath(absolute);
    if (isInside(await realpath(folder), target)) return absolute;
    const problem = `'${shownPath(value)}' is a link to ${target}, outside ${folder}`;
    context.problems.push({ path, problem, expected: 'a file of that folder' });
    return undefined;
  }
  const names = await filesBelow(folder);
  const same = names.filter((name) => basename(name) === basename(value));
  const hint = same[0] === undefined ? didYouMean(value, names) : ` (did you mean '${same[0]}'?)`;
  context.problems.push({
    path,
    problem: `there is no file '${shownPath(value)}' in ${folder}${hint}`,
    expected: 'a file of that folder',
  });
  return undefined;
}

function isInside(folder: string, absolute: string): boolean {
  const inside = relative(folder, absolute);
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`);
}

/** The scoring script exists, is Python, and parses. */
export async function scoringScript(folder: string, value: string, path: string, context: LocalContext): Promise<void> {
  const file = await fileInside(folder, value, path, context);
  if (file === undefined) return;
  if (!file.endsWith('.py')) {
    context.problems.push({
      path,
      problem: `'${shownPath(value)}' is not a Python file`,
      expected: 'a file whose name ends in .py',
    });
    return;
  }
  const problem = await context.checkScript?.(file, path);
  if (problem !== undefined) context.problems.push(problem);
}

/**
 * The text of a conda file given as a path or as the mapping itself, keys sorted as Azure's SDK sends it, so that the
 * same environment always has the same digest.
 */
export async function condaText(value: unknown, path: string, context: LocalContext): Promise<string | undefined> {
  // Without anchors: the same packages are the same text, however the file was written.
  const asText = (content: unknown): string =>
    stringify(content, { sortMapEntries: true, aliasDuplicateObjects: false });
  if (typeof value !== 'string') {
    noteNoPackages(value, path, path, context);
    return asText(value);
  }
  const absolute = resolve(context.baseDir, value);
  const expected = `a conda YAML file, relative to ${context.baseDir}`;
  try {
    const [document, another] = parseYaml(await readTextFile(absolute), absolute);
    if (isObject(document?.value) && another === undefined) {
      noteNoPackages(document.value, shownPath(absolute), path, context);
      return asText(document.value);
    }
    const problem = `${shownPath(absolute)} holds no mapping`;
    context.problems.push({ path, problem, expected: 'a conda file with name, channels and dependencies' });
  } catch (thrown) {
    const error = PlatformError.from(thrown);
    const [first] = error.problems;
    const missing = error.code === 'not_found';
    const why = first === undefined || missing ? error.message : `${error.message}: ${first.path}: ${first.problem}`;
    const problem = missing ? `there is no file ${shownPath(absolute)}` : why;
    context.problems.push({ path, problem, expected });
  }
  return undefined;
}

/** A file of another kind would be found out only when the environment is built, minutes later. */
function noteNoPackages(content: unknown, what: string, path: string, context: LocalContext): void {
  if (isObject(content) && Array.isArray(content['dependencies'])) return;
  const problem = `${what === path ? '' : `${what} `}has no list of dependencies`;
  context.problems.push({ path, problem, expected: 'name, channels and dependencies: [python=3.11, ...]' });
}

/** Paths of files below a folder for a hint: bounded, relative. */
export async function filesBelow(folder: string, most = 500): Promise<string[]> {
  const names: string[] = [];
  const folders = [''];
  for (let next = folders.shift(); next !== undefined && names.length < most; next = folders.shift()) {
    const entries = await readdir(join(folder, next), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isFile()) names.push(join(next, entry.name));
      else if (entry.isDirectory() && folders.length < most) folders.push(join(next, entry.name));
    }
  }
  return names.slice(0, most);
}
