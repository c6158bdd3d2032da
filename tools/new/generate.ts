import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const templates = join(dirname(fileURLToPath(import.meta.url)), 'templates');

interface Kind {
  about: string;
  /** Template folder to target folder, both with the name filled in. */
  folders: readonly { from: string; to: string }[];
}

export const kinds = {
  service: {
    about: 'a service in libs/services/NAME and its thin app in apps/NAME',
    folders: [
      { from: 'service', to: 'libs/services/__name__' },
      { from: 'service-app', to: 'apps/__name__' },
    ],
  },
  library: { about: 'a library in libs/NAME', folders: [{ from: 'library', to: 'libs/__name__' }] },
  command: {
    about: 'a CLI command in apps/cli/src/commands, NAME = noun/verb',
    folders: [{ from: 'command', to: 'apps/cli/src/commands' }],
  },
} as const satisfies Record<string, Kind>;

/** Writes the files of a new project below `root`; refuses a bad name and never overwrites. Returns the paths written. */
export function generate(root: string, kind: keyof typeof kinds, name: string): string[] {
  const pattern = kind === 'command' ? /^[a-z]+(-[a-z]+)*\/[a-z]+(-[a-z]+)*$/ : /^[a-z]+(-[a-z]+)*$/;
  if (!pattern.test(name)) {
    throw new Error(
      `'${name}' is not a name for a ${kind}: ${kind === 'command' ? 'noun/verb in ' : ''}kebab-case, please`,
    );
  }
  const files = kinds[kind].folders.flatMap(({ from, to }) =>
    filesBelow(join(templates, from)).map((source) => ({
      source,
      target: join(root, fill(to, name), fill(relative(join(templates, from), source), name)),
    })),
  );
  const taken = files.find(({ target }) => existsSync(target));
  if (taken !== undefined) throw new Error(`${relative(root, taken.target)} exists already`);
  for (const { source, target } of files) {
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, fill(readFileSync(source, 'utf8'), name));
  }
  return files.map(({ target }) => relative(root, target));
}

/** The line that makes a command known; a spec of the command line fails while it is missing. */
export function tableLine(name: string): string {
  const verb = name.split('/')[1] ?? '';
  const key = verb.includes('-') ? `'${verb}'` : verb;
  return `${key}: () => import('./commands/${name}.ts'),`;
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

function fill(text: string, name: string): string {
  const [noun = name, verb = name] = name.split('/');
  const pascal = (words: string): string =>
    words.replace(/(^|-)([a-z])/g, (_all, _dash, letter: string) => letter.toUpperCase());
  const camel = pascal(verb).replace(/^[A-Z]/, (letter) => letter.toLowerCase());
  return text
    .replaceAll('__name__', name)
    .replaceAll('__noun__', noun)
    .replaceAll('__verb__', verb)
    .replaceAll('__camel__', camel)
    .replaceAll('__Pascal__', pascal(verb))
    .replaceAll('__UPPER__', verb.toUpperCase().replaceAll('-', '_'));
}
