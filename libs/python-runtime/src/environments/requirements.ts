/** Where packages come from and which builds are taken, as pip's options in a requirements list say. */
export interface PackageSources {
  /** In place of the default index. */
  index?: string;
  extraIndexes: string[];
  findLinks: string[];
  prerelease: boolean;
  noBinary: string[];
  onlyBinary: string[];
}

export type PipLine =
  | { kind: 'requirement'; name: string; requirement: string }
  /** A package whose modules the worker brings itself; `needs` are those of its extras that scripts count on. */
  | { kind: 'replaced'; name: string; needs: string[] }
  | { kind: 'option'; apply(sources: PackageSources): void }
  | { kind: 'ignored'; text: string }
  | { kind: 'nothing' }
  | { kind: 'wrong'; problem: string; expected: string };

const replaced = new Set([
  'azureml-defaults',
  'azureml-inference-server-http',
  'azureml-core',
  'azureml-contrib-services',
  'inference-schema',
]);
const needsOfExtra: Readonly<Record<string, string[]>> = {
  'numpy-support': ['numpy'],
  'pandas-support': ['numpy', 'pandas'],
  'all-support': ['numpy', 'pandas'],
};

const requirementLine = /^(?<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?:\[(?<extras>[^\]]*)\])?\s*(?<rest>.*)$/s;
const versionRule =
  /^(?:\(?\s*(?:(?:===|==|~=|!=|<=|>=|<|>)\s*[\w.*+!-]+\s*,?\s*)+\)?)?\s*(?<tail>(?:;[\w\s.,'"<>=!~()+*-]+)?(?:--hash[=\s]\w+:\w+\s*)*)$/s;
const remote = /^(?:https?|git\+https?|git\+ssh):\/\//;

/** What one line of a requirements list means. */
export function pipLine(line: string): PipLine {
  const text = line
    .replace(/(^|\s)#.*$/s, '')
    .replaceAll(/\\\s*\n/g, ' ')
    .trim();
  if (text === '') return { kind: 'nothing' };
  if (text.startsWith('-')) return optionLine(text);
  if (/^(?:\.|\/|~|file:)/.test(text)) return aPath(text);
  if (remote.test(text)) return { kind: 'requirement', name: text, requirement: text };
  const match = requirementLine.exec(text)?.groups;
  const rest = match?.['rest'] ?? '';
  if (match?.['name'] === undefined) return noRequirement(text);
  const name = normalName(match['name']);
  const extras = (match['extras'] ?? '')
    .split(',')
    .map(normalName)
    .filter((extra) => extra !== '');
  if (replaced.has(name))
    return { kind: 'replaced', name, needs: extras.flatMap((extra) => needsOfExtra[extra] ?? []) };
  const head = extras.length === 0 ? name : `${name}[${[...new Set(extras)].toSorted().join(',')}]`;
  if (rest.startsWith('@')) {
    const url = rest.slice(1).trim();
    return remote.test(url) ? { kind: 'requirement', name, requirement: `${head} @ ${url}` } : aPath(url);
  }
  const rule = versionRule.exec(rest);
  if (rule === null) return noRequirement(text);
  const tail = rule.groups?.['tail'] ?? '';
  const versions = rest
    .slice(0, rest.length - tail.length)
    .replaceAll(/[\s()]/g, '')
    .split(',')
    .filter(Boolean);
  const spaced = tail === '' ? '' : ` ${tail.replaceAll(/\s+/g, ' ').trim()}`;
  return { kind: 'requirement', name, requirement: `${head}${versions.toSorted().join(',')}${spaced}` };
}

/** As PyPI compares names: case, `-`, `_` and `.` do not count. */
export function normalName(name: string): string {
  return name
    .trim()
    .toLowerCase()
    .replaceAll(/[-_.]+/g, '-');
}

/** A URL without the name and password in it. */
export function withoutCredentials(text: string): string {
  return text.replaceAll(/(:\/\/)[^\s/@]+@/g, '$1***@');
}

function optionLine(text: string): PipLine {
  const [, option = '', value = ''] = /^(--?[\w-]+)(?:\s*=\s*|\s+)?(.*)$/s.exec(text) ?? [];
  switch (option) {
    case '-i':
    case '--index-url':
      return urlOption(value, option, (sources, url) => (sources.index = url));
    case '--extra-index-url':
      return urlOption(value, option, (sources, url) => sources.extraIndexes.push(url));
    case '-f':
    case '--find-links':
      return urlOption(value, option, (sources, url) => sources.findLinks.push(url));
    case '--pre':
      return { kind: 'option', apply: (sources) => (sources.prerelease = true) };
    case '--no-binary':
      return { kind: 'option', apply: (sources) => sources.noBinary.push(...value.split(',')) };
    case '--only-binary':
      return { kind: 'option', apply: (sources) => sources.onlyBinary.push(...value.split(',')) };
    case '--prefer-binary':
    case '--trusted-host':
    case '--use-feature':
      return { kind: 'ignored', text };
    case '-r':
    case '--requirement':
    case '-c':
    case '--constraint':
      return wrong(`'${text}' names a file that does not come with the environment`, 'its lines in place of it');
    case '-e':
    case '--editable':
      return aPath(value);
    default:
      return wrong(
        `'${option}' is no option that can stand here`,
        'a requirement such as numpy==2.4.6, or --index-url URL',
      );
  }
}

function urlOption(value: string, option: string, set: (sources: PackageSources, url: string) => void): PipLine {
  if (/^https?:\/\/\S+$/.test(value)) return { kind: 'option', apply: (sources) => void set(sources, value) };
  return wrong(`'${withoutCredentials(value)}' is no address of packages`, `${option} https://...`);
}

function aPath(text: string): PipLine {
  const expected = 'a package of an index, a git+https:// or https:// address, or the files in the code folder';
  return wrong(`'${withoutCredentials(text)}' is a path, and no files come with the environment`, expected);
}

function noRequirement(text: string): PipLine {
  return wrong(
    `'${withoutCredentials(text)}' is no requirement`,
    'a name with or without versions, such as numpy==2.4.6',
  );
}

function wrong(problem: string, expected: string): PipLine {
  return { kind: 'wrong', problem, expected };
}
