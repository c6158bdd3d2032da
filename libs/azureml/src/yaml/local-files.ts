import { readdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { didYouMean, type FieldProblem } from '@mooring/errors';
import { parse, stringify } from 'yaml';
import type { LocalFiles } from './drafts.ts';
import type { YamlProblem } from './problems.ts';
import { readTextFile } from './read-yaml.ts';

/** Checks one Python file's syntax; resolves to what is wrong, or undefined. `path` names the field to blame. */
export type ScriptCheck = (file: string, path: string) => Promise<FieldProblem | undefined>;

/** What the checks of one document share. */
export interface LocalContext {
  /** Folder that relative paths start from: the YAML file's own. */
  baseDir: string;
  problems: YamlProblem[];
  checkScript?: ScriptCheck | undefined;
}

type Found = { files: LocalFiles; folder: boolean };

/** A file or folder that must exist and hold something. */
export async function localPath(value: string, path: string, context: LocalContext): Promise<Found | undefined> {
  const absolute = resolve(context.baseDir, value);
  const found = await stat(absolute).catch(() => undefined);
  if (found === undefined) {
    context.problems.push({
      path,
      problem: `there is nothing at ${absolute}`,
      expected: `a path relative to ${context.baseDir}`,
    });
    return undefined;
  }
  if (found.isDirectory() && (await readdir(absolute).catch(() => [])).length === 0) {
    context.problems.push({
      path,
      problem: `the folder ${absolute} is empty or may not be read`,
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
  const inside = relative(folder, absolute);
  if (isAbsolute(value) || inside === '' || inside === '..' || inside.startsWith(`..${sep}`)) {
    context.problems.push({
      path,
      problem: `'${value}' is not inside ${folder}`,
      expected: `a path relative to ${folder}`,
    });
    return undefined;
  }
  const found = await stat(absolute).catch(() => undefined);
  if (found?.isFile()) return absolute;
  const names = await filesBelow(folder);
  const same = names.filter((name) => basename(name) === basename(value));
  const hint = same[0] === undefined ? didYouMean(value, names) : ` (did you mean '${same[0]}'?)`;
  context.problems.push({
    path,
    problem: `there is no file '${value}' in ${folder}${hint}`,
    expected: 'a file of that folder',
  });
  return undefined;
}

/** The scoring script exists, is Python, and parses. */
export async function scoringScript(folder: string, value: string, path: string, context: LocalContext): Promise<void> {
  const file = await fileInside(folder, value, path, context);
  if (file === undefined) return;
  if (!file.endsWith('.py')) {
    context.problems.push({
      path,
      problem: `'${value}' is not a Python file`,
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
  if (typeof value !== 'string') return stringify(value, { sortMapEntries: true });
  const absolute = resolve(context.baseDir, value);
  try {
    const content: unknown = parse(await readTextFile(absolute), { logLevel: 'silent', maxAliasCount: 100 });
    if (typeof content === 'object' && content !== null && !Array.isArray(content)) {
      return stringify(content, { sortMapEntries: true });
    }
    context.problems.push({
      path,
      problem: `${absolute} holds no mapping`,
      expected: 'a conda file with name, channels and dependencies',
    });
  } catch (thrown) {
    const why = ((thrown as Error).message.split('\n')[0] ?? '').slice(0, 200);
    const problem =
      (await stat(absolute).catch(() => undefined)) === undefined
        ? `there is no file ${absolute}`
        : `${absolute} cannot be read: ${why}`;
    context.problems.push({ path, problem, expected: `a conda YAML file, relative to ${context.baseDir}` });
  }
  return undefined;
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
