import type { SpecProblem } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';

/** A file with more is wrong as a whole; nobody reads a thousand lines. */
const problemsMax = 100;

function listed(problems: readonly SpecProblem[]): readonly SpecProblem[] {
  if (problems.length <= problemsMax) return problems;
  const rest = { path: '(file)', problem: `has ${problems.length - problemsMax} more problems` };
  return [...problems.slice(0, problemsMax), rest];
}

/** A path for a message: without control characters, which would reach a terminal, and no longer than a few lines. */
export function shownPath(path: string): string {
  const clean = path.replace(/\p{Cc}/gu, '?');
  return clean.length > 300 ? `${clean.slice(0, 150)}...${clean.slice(-140)}` : clean;
}

/**
 * One error out of all problems of `what` (a file's name). A file that is only ahead of its time is `unimplemented`
 * / NOT_SUPPORTED_YET; any other problem makes it `invalid_argument` / VALIDATION_FAILED.
 */
export function problemsError(what: string, problems: readonly SpecProblem[]): PlatformError {
  const later = problems.every((problem) => problem.later === true);
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  const shown = shownPath(what);
  const options = { problems: listed(problems) };
  return later
    ? new PlatformError('unimplemented', 'NOT_SUPPORTED_YET', `${shown} asks for what comes later`, options)
    : new PlatformError('invalid_argument', 'VALIDATION_FAILED', `${shown} has ${count}`, options);
}
