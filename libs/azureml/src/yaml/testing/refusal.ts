import { PlatformError } from '@mooring/errors';

/** The PlatformError that `work` ends with. Throws when it succeeds, or ends with an error that no user should see. */
export async function refusal(work: Promise<unknown>): Promise<PlatformError> {
  try {
    const value = await work;
    throw new Error(`was accepted: ${JSON.stringify(value)?.slice(0, 300)}`);
  } catch (thrown) {
    if (thrown instanceof PlatformError) return thrown;
    throw thrown;
  }
}

/** Its problems as lines, as a user reads them. */
export function linesOf(error: PlatformError): string[] {
  return error.problems.map(
    ({ path, problem, expected }) => `${path}: ${problem}${expected === undefined ? '' : ` (expected ${expected})`}`,
  );
}
