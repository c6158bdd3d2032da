import type { CommandContext } from './context.ts';

interface FlagBase {
  /** `--name` first, then `-n` and further spellings. */
  names: readonly string[];
  about: string;
  /** Taken and read, but not shown in help: Azure's flags that mean nothing or come later here. */
  hidden?: boolean;
}

export interface TextFlag extends FlagBase {
  kind: 'text';
  /** What stands for the value in help. */
  value: string;
  required?: boolean;
  /** Its value may stand alone, without the flag: `restart edge`; for one flag of a command at most. */
  bare?: boolean;
  choices?: readonly string[];
  /** What any value must be; checked before anything is dialed or read. */
  rule?: TextRule;
}

export interface TextRule {
  test(value: string): boolean;
  expected: string;
}

/** One or more words, up to the next flag; may be repeated. */
export interface WordsFlag extends FlagBase {
  kind: 'words';
  value: string;
}

export interface WholeFlag extends FlagBase {
  kind: 'whole';
  value: string;
  smallest: number;
  largest: number;
}

export interface SwitchFlag extends FlagBase {
  kind: 'switch';
}

/** A flag of Azure's command line that Mooring refuses, with what to do instead. */
export interface RefusedFlag extends FlagBase {
  kind: 'refused';
  instead: string;
}

export type Flag = TextFlag | WordsFlag | WholeFlag | SwitchFlag | RefusedFlag;
export type Flags = Readonly<Record<string, Flag>>;

type ArgOf<F> = F extends { kind: 'switch' }
  ? boolean
  : F extends { kind: 'words' }
    ? readonly string[]
    : F extends { kind: 'whole' }
      ? number | undefined
      : F extends { kind: 'text'; required: true }
        ? string
        : string | undefined;

export type ArgsOf<F extends Flags> = { readonly [K in keyof F]: ArgOf<F[K]> };

export interface Command<F extends Flags = Flags> {
  /** One line, without a full stop. */
  summary: string;
  /** More that a user should know, a few lines at most. */
  about?: string;
  flags: F;
  /** Complete command lines, the most usual first. */
  examples: readonly string[];
  run(args: ArgsOf<F>, context: CommandContext): Promise<void>;
}

/** Gives `run` the types of the flags. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}
