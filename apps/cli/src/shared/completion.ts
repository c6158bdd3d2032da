import type { Flag } from '../command.ts';
import { nouns } from '../command-table.ts';
import { globalFlags } from './flags.ts';

/** Every command path with the words that may follow it. */
export async function completionWords(): Promise<{ path: string; words: string[] }[]> {
  const lines = [{ path: '', words: Object.keys(nouns).filter((name) => nouns[name]?.later === undefined) }];
  for (const [name, noun] of Object.entries(nouns)) {
    if (noun.load !== undefined) lines.push({ path: name, words: flagsOf((await noun.load()).command.flags) });
    const verbs = Object.entries(noun.verbs ?? {});
    if (verbs.length > 0) lines.push({ path: name, words: verbs.map(([verb]) => verb) });
    for (const [verb, load] of verbs)
      lines.push({ path: `${name} ${verb}`, words: flagsOf((await load()).command.flags) });
  }
  return lines;
}

function flagsOf(flags: Readonly<Record<string, Flag>>): string[] {
  return Object.values<Flag>({ ...flags, ...globalFlags })
    .filter((flag) => flag.hidden !== true && flag.kind !== 'refused')
    .map((flag) => flag.names[0] ?? '');
}

/** A bash function; zsh takes it through bashcompinit. */
export async function bashCompletion(): Promise<string> {
  const cases = (await completionWords()).map(({ path, words }) => `    '${path}') words='${words.join(' ')}' ;;`);
  return [
    '_mooring() {',
    '  local path="" word words="" at',
    '  local current="${COMP_WORDS[COMP_CWORD]}"',
    '  for ((at = 1; at < COMP_CWORD; at++)); do',
    '    word="${COMP_WORDS[at]}"',
    '    [[ $word == -* ]] && break',
    '    path="${path:+$path }$word"',
    '  done',
    '  case "$path" in',
    ...cases,
    '  esac',
    '  # A value, where no flag is begun, is most often a file.',
    '  if [[ $current != -* && ${COMP_WORDS[COMP_CWORD - 1]} == -* ]]; then',
    '    COMPREPLY=($(compgen -f -- "$current"))',
    '  else',
    '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '  fi',
    '}',
    'complete -o filenames -F _mooring mooring',
  ].join('\n');
}
