import { PlatformError, type FieldProblem } from '@mooring/errors';

/** A problem of a spec, a file or a body. `later`: it is right, but asks for a capability that does not exist yet. */
export interface SpecProblem extends FieldProblem {
  later?: true;
}

export function laterProblem(path: string, capability: string): SpecProblem {
  return { path, problem: `asks for ${capability}, which comes with a later version of Mooring`, later: true };
}

/** More than anybody mends at once. */
const problemsMax = 200;

/**
 * One error out of all problems of `what`. One that is only ahead of its time is `unimplemented`/NOT_SUPPORTED_YET; any
 * other problem makes it `invalid_argument`/VALIDATION_FAILED.
 */
export function refusal(what: string, problems: readonly SpecProblem[]): PlatformError {
  const plain = problems.slice(0, problemsMax).map(({ later: _later, path, problem, ...rest }) => ({
    path: shortened(path),
    problem: shortened(problem),
    ...rest,
  }));
  const invalid = PlatformError.invalid(what, plain);
  if (!problems.every((problem) => problem.later === true)) return invalid;
  return new PlatformError('unimplemented', 'NOT_SUPPORTED_YET', invalid.message, { problems: plain });
}

/** Paths and problems hold names as the caller wrote them, however long; an error must still fit what carries it. */
function shortened(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}...` : text;
}
