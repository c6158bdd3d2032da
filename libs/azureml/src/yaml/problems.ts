import { PlatformError, type FieldProblem } from '@mooring/errors';

/** A problem of a resource file. `later`: the file is right, but asks for a capability that does not exist yet. */
export interface YamlProblem extends FieldProblem {
  later?: true;
}

export function laterProblem(path: string, capability: string): YamlProblem {
  return { path, problem: `asks for ${capability}, which comes with a later version of Mooring`, later: true };
}

/**
 * One error out of all problems of `what` (a file's name). A file that is only ahead of its time is `unimplemented`
 * / NOT_SUPPORTED_YET; any other problem makes it `invalid_argument` / VALIDATION_FAILED.
 */
export function problemsError(what: string, problems: readonly YamlProblem[]): PlatformError {
  const later = problems.every((problem) => problem.later === true);
  const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
  return later
    ? new PlatformError('unimplemented', 'NOT_SUPPORTED_YET', `${what} asks for what comes later`, { problems })
    : new PlatformError('invalid_argument', 'VALIDATION_FAILED', `${what} has ${count}`, { problems });
}
