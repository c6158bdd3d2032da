import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** True for a path (relative, with `/`) that is not to be uploaded. */
export type IgnoreRules = (path: string, folder: boolean) => boolean;

/** Never part of a model or of code; bytecode would also change the digest on every run. */
const always = ['.git/', '__pycache__/', '.amlignore', '.gitignore'];
const rulesMax = 1000;

/** Rules of the folder's `.amlignore`, or of its `.gitignore` where there is none, as Azure's clients read them. */
export async function readIgnoreRules(folder: string): Promise<IgnoreRules> {
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(folder, name), 'utf8').catch(() => undefined);
  const text = (await read('.amlignore')) ?? (await read('.gitignore')) ?? '';
  return compileIgnoreRules([...always, ...text.split(/\r?\n/)]);
}

/** git's rules, simply: `*`, `**`, `?`, `!`, a leading or inner `/` anchors, a trailing one means folders only. */
export function compileIgnoreRules(lines: readonly string[]): IgnoreRules {
  const rules = lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(0, rulesMax)
    .map((line) => {
      const keep = line.startsWith('!');
      const pattern = keep ? line.slice(1) : line;
      const folderOnly = pattern.endsWith('/');
      return { keep, folderOnly, expression: expressionOf(pattern.replace(/\/$/, '')) };
    });
  return (path, folder) => {
    let ignored = false;
    for (const rule of rules) {
      if ((!rule.folderOnly || folder) && rule.expression.test(path)) ignored = !rule.keep;
    }
    return ignored;
  };
}

function expressionOf(pattern: string): RegExp {
  const anchored = pattern.includes('/');
  const body = pattern
    .replace(/^\//, '')
    .replace(/\*{3,}/g, '**')
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map(
      (part) =>
        ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' })[part] ??
        part.replace(/[.+^${}()|[\]\\]/g, '\\$&'),
    )
    .join('');
  return new RegExp(anchored ? `^${body}$` : `(?:^|/)${body}$`);
}
