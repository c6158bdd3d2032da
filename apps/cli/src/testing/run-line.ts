import { runCli } from '../cli.ts';

export interface Outcome {
  code: number;
  out: string;
  err: string;
}

export interface LineOptions {
  environment?: Readonly<Record<string, string>>;
  /** What the user answers to every question; nobody can be asked where absent. */
  answer?: string;
  stdin?: string;
  signal?: AbortSignal;
}

/** Runs one command line in this process, as the real `main` does, and gathers what it wrote. */
export async function runLine(argv: readonly string[], options: LineOptions = {}): Promise<Outcome> {
  const written = { out: '', err: '' };
  const { answer } = options;
  const code = await runCli(
    argv,
    {
      out: (text) => (written.out += typeof text === 'string' ? text : Buffer.from(text).toString('utf8')),
      err: (text) => (written.err += text),
      isTty: false,
      columns: 80,
      stdin: async () => Buffer.from(options.stdin ?? ''),
      environment: options.environment ?? {},
      ...(answer === undefined ? {} : { ask: async () => answer }),
    },
    options.signal ?? new AbortController().signal,
  );
  return { code, ...written };
}
