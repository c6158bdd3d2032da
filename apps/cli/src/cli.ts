import { didYouMean, PlatformError } from '@mooring/errors';
import type { Command } from './command.ts';
import { nouns, type Noun } from './command-table.ts';
import { createContext, type CommandContext, type Io } from './context.ts';
import { parseFlags } from './parse-flags.ts';
import { reportError } from './report-error.ts';
import { globalFlags } from './shared/flags.ts';

/** Runs one command line; resolves to the exit code. Never rejects. */
export async function runCli(line: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  const argv = line[0] === 'help' ? [...line.slice(1), '--help'] : line;
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
    if (globals.query !== undefined) await (await import('./output.ts')).checkQuery(globals.query);
    context = createContext(globals, io, signal);
    await found.command.run(own, context);
    return 0;
  } catch (thrown) {
    return reportError(thrown, io, { debug, nextStep: context?.nextStep, command: knownPath(words) });
  }
}

/** The noun and the verb: what stands before the first flag. */
function leadingWords(argv: readonly string[]): string[] {
  const end = argv.findIndex((word) => word.startsWith('-'));
  const words = (end === -1 ? argv : argv.slice(0, end)).slice(0, 2);
  const [noun = ''] = words;
  return Object.hasOwn(nouns, noun) && nouns[noun]?.load !== undefined ? [noun] : words;
}

/** The part of the words that has a help of its own. */
function knownPath([name = '', verb = '']: readonly string[]): string {
  const noun = Object.hasOwn(nouns, name) ? nouns[name] : undefined;
  if (noun === undefined || noun.later !== undefined) return '';
  return noun.verbs !== undefined && Object.hasOwn(noun.verbs, verb) ? `${name} ${verb}` : name;
}

function wantsHelp(argv: readonly string[]): boolean {
  const flagsEnd = argv.indexOf('--');
  const flags = flagsEnd === -1 ? argv : argv.slice(0, flagsEnd);
  return flags.includes('--help') || flags.includes('-h');
}

/** The command, or the help text that was asked for. */
async function find(
  words: readonly string[],
  argv: readonly string[],
): Promise<string | { command: Command; depth: number }> {
  const [name, verb] = words;
  if (name === undefined) {
    const other = argv.find((word) => word.startsWith('-') && !['--help', '-h'].includes(word));
    if (other === '--version') return find(['version'], []);
    if (other !== undefined) throw badArguments(other, 'stands before any command', 'mooring <noun> <verb> <flags>');
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
  if (noun.later !== undefined) throw comesLater(noun.later);
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
    const { laterVerbs = {} } = noun;
    const capability = Object.hasOwn(laterVerbs, verb ?? '') ? laterVerbs[verb ?? ''] : undefined;
    if (capability !== undefined) throw comesLater(capability);
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

function comesLater(capability: string): PlatformError {
  const message = `${capability} come with a later version of Mooring`;
  return new PlatformError('unimplemented', 'NOT_SUPPORTED_YET', message);
}

function badArguments(path: string, problem: string, expected: string): PlatformError {
  const clean = path.replace(/\p{Cc}/gu, '?').slice(0, 80);
  return new PlatformError('invalid_argument', 'BAD_ARGUMENTS', 'the command line is not right', {
    problems: [{ path: clean, problem, expected }],
  });
}
