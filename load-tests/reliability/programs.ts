import type { Options } from './cli.ts';

/** What a program is asked for on the command line. */
export type ProgramOptions = Pick<Options, 'count' | 'minutes' | 'cycles' | 'seed'>;

/** A measurement with a platform of its own; prints its figures. Resolves with false when one is not as it should be. */
export interface Program {
  name: string;
  about: string;
  run(options: ProgramOptions, signal: AbortSignal): Promise<boolean>;
}

/** A line of figures, in one form for all. */
export function figure(text: string): void {
  process.stdout.write(`${text}\n`);
}
