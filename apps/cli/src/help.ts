import type { Command, Flag } from './command.ts';
import { nouns, type Noun } from './command-table.ts';
import { globalFlags } from './shared/flags.ts';

/** Everything, by noun. */
export function overview(): string {
  const now = Object.entries(nouns).filter(([, noun]) => noun.later === undefined);
  const lines = now.map(
    ([name, noun]) => [name, verbsOf(noun) === '' ? noun.summary : `${noun.summary}: ${verbsOf(noun)}`] as const,
  );
  const later = Object.entries(nouns).filter(([, noun]) => noun.later !== undefined);
  return [
    'mooring <noun> <verb>: stable URLs for machine-learning models',
    '',
    columns(lines),
    '',
    `Later: ${later.map(([name]) => name).join(', ')}`,
    '',
    'Begin with:  tools/mooring demo cars',
    'Help on any of them:  tools/mooring <noun> [<verb>] --help',
  ].join('\n');
}

export async function nounHelp(name: string, noun: Noun): Promise<string> {
  const verbs = await Promise.all(
    Object.entries(noun.verbs ?? {}).map(
      async ([verb, load]) => [`${name} ${verb}`, (await load()).command.summary] as const,
    ),
  );
  return [`mooring ${name}: ${noun.summary}`, '', columns(verbs)].join('\n');
}

export function commandHelp(path: string, command: Command): string {
  const own = Object.values(command.flags).filter((flag) => flag.hidden !== true);
  const global = Object.values<Flag>(globalFlags).filter((flag) => flag.hidden !== true);
  return [
    `mooring ${path}: ${command.summary}`,
    ...(command.about === undefined ? [] : ['', command.about]),
    ...(own.length === 0 ? [] : ['', 'Flags:', columns(own.map(flagLine))]),
    '',
    'Everywhere:',
    columns(global.map(flagLine)),
    '',
    command.examples.length === 1 ? 'Example:' : 'Examples:',
    ...command.examples.map((example) => `  ${example}`),
  ].join('\n');
}

function verbsOf(noun: Noun): string {
  return Object.keys(noun.verbs ?? {}).join(', ');
}

function flagLine(flag: Flag): readonly [string, string] {
  const value = 'value' in flag ? ` ${flag.value}` : '';
  const required = flag.kind === 'text' && flag.required ? ' (required)' : '';
  return [`${flag.names.join(', ')}${value}`, `${flag.about}${required}`];
}

/** Two columns; a long left part has its right part on the next line. */
function columns(lines: readonly (readonly [string, string])[]): string {
  const width = Math.min(40, Math.max(...lines.map(([left]) => left.length)));
  return lines
    .map(([left, right]) =>
      left.length > width ? `  ${left}\n  ${' '.repeat(width)}  ${right}` : `  ${left.padEnd(width)}  ${right}`,
    )
    .join('\n');
}
