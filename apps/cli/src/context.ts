import type { ManagementClient, Step } from '@mooring/sdk';
import { formatted } from './output.ts';
import { printable } from './printable.ts';
import { noProgress, startProgress } from './progress.ts';
import type { Settings } from './settings.ts';

/** The edges of the process, so that tests can stand in for them. */
export interface Io {
  out(text: string | Uint8Array): void;
  err(text: string): void;
  isTty: boolean;
  columns: number;
  /** What the user typed after a question; undefined when nobody can be asked. */
  ask?: (question: string) => Promise<string>;
  stdin(): Promise<Buffer<ArrayBuffer>>;
  environment?: Readonly<Record<string, string | undefined>> | undefined;
}

export interface GlobalArgs {
  output: string | undefined;
  query: string | undefined;
  data: string | undefined;
  url: string | undefined;
  onlyShowErrors: boolean;
}

export interface PrintOptions {
  /** The format where none is asked for: JSON, unless set. */
  output?: 'json' | 'table';
  /** Fields of the table, in order. */
  fields?: readonly string[];
  /** The table itself, where rows of fields do not say it well. */
  table?: () => string;
}

/** What a command works with. Clients are made when first asked for. */
export interface CommandContext {
  readonly signal: AbortSignal;
  readonly io: Io;
  /** What the user may do about a failure; printed after the error. */
  nextStep: string | undefined;
  /** The result, on stdout, in the asked format. */
  print(value: unknown, options?: PrintOptions): Promise<void>;
  printText(text: string | Uint8Array): void;
  /** True when the user asked for a format or a query. */
  readonly formatAsked: boolean;
  /** Words for people, on stderr. */
  note(text: string): void;
  /** Runs `work`, showing its steps on stderr. */
  progress<T>(work: (onStep: (step: Step) => void) => Promise<T>): Promise<T>;
  settings(): Promise<Settings>;
  client(): Promise<ManagementClient>;
}

export function createContext(args: GlobalArgs, io: Io, signal: AbortSignal): CommandContext {
  let settings: Promise<Settings> | undefined;
  let client: Promise<ManagementClient> | undefined;
  const context: CommandContext = {
    signal,
    io,
    nextStep: undefined,
    formatAsked: args.output !== undefined || args.query !== undefined,
    print: async (value, options = {}) => {
      const output = args.output ?? (args.query === undefined ? options.output : undefined) ?? 'json';
      const own = output === 'table' && args.query === undefined ? options.table?.() : undefined;
      const text = own ?? (await formatted(value, { output, query: args.query, fields: options.fields }));
      // Tables are for people; the other formats escape control characters, or are for programs.
      io.out(`${output === 'table' ? printable(text) : text}\n`);
    },
    printText: (text) => io.out(text),
    note: (text) => {
      if (!args.onlyShowErrors) io.err(`${text}\n`);
    },
    progress: async (work) => {
      const shown = args.onlyShowErrors
        ? noProgress
        : startProgress({ write: (text) => io.err(text), isTty: io.isTty, columns: io.columns });
      try {
        return await work((step) => shown.step(step));
      } finally {
        shown.end();
      }
    },
    settings: () =>
      (settings ??= import('./settings.ts').then(({ readSettings }) => readSettings(args, io.environment))),
    client: () => (client ??= openClient(context)),
  };
  return context;
}

async function openClient(context: CommandContext): Promise<ManagementClient> {
  const [{ managementAccess }, { createManagementClient }, settings] = await Promise.all([
    import('./settings.ts'),
    import('@mooring/sdk'),
    context.settings(),
  ]);
  return createManagementClient(managementAccess(settings));
}
