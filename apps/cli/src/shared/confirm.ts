import { PlatformError } from '@mooring/errors';
import type { CommandContext } from '../context.ts';

/** Asks before something is lost. Throws PlatformError when nobody says yes. */
export async function confirm(question: string, yes: boolean, context: CommandContext): Promise<void> {
  if (yes) return;
  if (context.io.ask === undefined) {
    throw new PlatformError('invalid_argument', 'NOT_CONFIRMED', `${question} Nobody can be asked here: give --yes`);
  }
  const answer = await context.io.ask(`${question} (y/n): `);
  if (!/^y(es)?$/i.test(answer.trim())) throw new PlatformError('cancelled', 'DECLINED', 'Nothing was changed.');
}
