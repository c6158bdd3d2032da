import { didYouMean, PlatformError } from '@mooring/errors';
import type { Command } from './command.ts';
import { nouns, type Noun } from './command-table.ts';
import { createContext, type CommandContext, type Io } from './context.ts';
import { parseFlags } from './parse-flags.ts';
import { reportError } from './report-error.ts';
import { globalFlags } from './shared/flags.ts';

/** Runs one command line; resolves to the exit code. Never rejects. */
export async function runCli(argv: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const words = leadingWords(argv);
  const debug = argv.includes('--debug');
  let context: CommandContext | undefined;
  try {
    const found = await find(words, argv);
    if (typeof found === 'string') {
      io.out(`${found}\n`);
      return 0;
    }
    const { globals, own } = parse(argv.slice(found.depth), found.command);
    context = createContext(globals, io, signal);
    await found.command.run(own, context);
    return 0;
  } catch (thrown) {
    return reportError(thrown, io, { debug, nextStep: context?.nextStep, command: words.join(' ') });
  }
}

/** The noun and the verb: what stands before the first flag. */
function leadingWords(argv: readonly string[]): string[] {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = (end === -1 ? argv : argv.slice(0, end)).slice(0, 2);
  const [noun = ''] = words;
  return Object.hasOwn(nouns, noun) && nouns[noun]?.load !== undefined ? [noun] : words;
}

function wantsHelp(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h');
}

/** The command, or the help text that was asked for. */
async function find(
  words: readonly string[],
  argv: readonly string[],
): Promise<string | { command: Command; depth: number }> {
  const [name, verb] = words;
  if (name === undefined || name === 'help') {
    const other = argv.find((word) => word.startsWith('-') && !['--help', '-h'].includes(word));
    if (name === undefined && other === '--version') return find(['version'], []);
    if (name === undefined && other !== undefined)
      throw badArguments(other, 'stands before any command', 'mooring <noun> <verb> <flags>');
    return (await import('./help.ts')).overview();
  }
  const noun = Object.hasOwn(nouns, name) ? nouns[name] : undefined;
  if (noun === undefined) {
    throw badArguments(
      name,
      `is not a command${didYouMean(name, Object.keys(nouns))}`,
      `one of: ${Object.keys(nouns).join(', ')}`,
    );
  }
  if (noun.later !== undefined) {
    throw new PlatformError('unimplemented', 'NOT_SUPPORTED_YET', `${noun.later} come with a later version of Mooring`);
  }
  return findVerb(name, noun, verb, argv);
}

async function findVerb(
  name: string,
  noun: Noun,
  verb: string | undefined,
  argv: readonly string[],
): Promise<string | { command: Command; depth: number }> {
  const verbs = noun.verbs ?? {};
  if (noun.load === undefined && verb === undefined) {
    if (wantsHelp(argv) || argv.length === 1) return (await import('./help.ts')).nounHelp(name, noun);
    throw badArguments(name, 'needs a verb', `one of: ${Object.keys(verbs).join(', ')}`);
  }
  const load = noun.load ?? (Object.hasOwn(verbs, verb ?? '') ? verbs[verb ?? ''] : undefined);
  if (load === undefined) {
    const known = Object.keys(verbs);
    throw badArguments(
      `${name} ${verb}`,
      `is not a command${didYouMean(verb ?? '', known)}`,
      `one of: ${known.join(', ')}`,
    );
  }
  const { command } = await load();
  const depth = noun.load === undefined ? 2 : 1;
  if (wantsHelp(argv.slice(depth))) {
    const path = depth === 2 ? `${name} ${verb}` : name;
    return (await import('./help.ts')).commandHelp(path, command);
  }
  return { command, depth };
}

function parse(argv: readonly string[], command: Command) {
  const all = parseFlags(argv, { ...globalFlags, ...command.flags });
  const own = Object.fromEntries(Object.keys(command.flags).map((key) => [key, (all as Record<string, unknown>)[key]]));
  return { globals: all, own: own as never };
}

function badArguments(path: string, problem: string, expected: string): PlatformError {
  const clean = path.replace(/\p{Cc}/gu, '?').slice(0, 80);
  return new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', {
    problems: [{ path: clean, problem, expected }],
  });
}
