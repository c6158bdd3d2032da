import {
  isAssetKind,
  isAssetName,
  isEndpointName,
  assetNameRule,
  endpointNameRule,
  type ResourceKind,
} from '@mooring/domain';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import { armPathOf } from '@mooring/azureml/arm';

/** What comes later, by its name. */
export function notYet(capability: string): PlatformError {
  const message = `${capability}: comes with a later version of Mooring`;
  return new PlatformError('unimplemented', 'NOT_SUPPORTED_YET', message);
}

const levels: Readonly<Record<ResourceKind, readonly string[]>> = {
  'online-endpoint': ['name'],
  'online-deployment': ['endpointName', 'name'],
  'batch-endpoint': ['name'],
  'batch-deployment': ['endpointName', 'name'],
  model: ['name', 'version'],
  environment: ['name', 'version'],
  code: ['name', 'version'],
  data: ['name', 'version'],
  component: ['name', 'version'],
};

/** What is wrong with the names in the path of something that is to be made. */
export function nameProblems(kind: ResourceKind, names: readonly string[]): FieldProblem[] {
  const isAsset = isAssetKind(kind);
  return levels[kind].flatMap((field, index) => {
    const name = names[index] ?? '';
    if (isAsset ? isAssetName(name) : isEndpointName(name)) return [];
    const shown = name.length > 60 ? `${name.slice(0, 60)}...` : name;
    return [
      { path: field, problem: `'${shown}' is not allowed`, expected: isAsset ? assetNameRule : endpointNameRule },
    ];
  });
}

/** The registry's error with its problems where the caller wrote them: in an ARM body, or in the path. */
export function inArmPaths(kind: ResourceKind, thrown: unknown): PlatformError {
  const error = PlatformError.from(thrown);
  if (error.problems.length === 0) return error;
  const problems = error.problems.map((problem) =>
    levels[kind].includes(problem.path) || problem.path === 'key' || problem.path === 'spec'
      ? problem
      : { ...problem, path: armPathOf(kind, problem.path) },
  );
  const what = error.message.slice(0, Math.max(0, error.message.indexOf(':')));
  const { message } = PlatformError.invalid(what === '' ? 'the request' : what, problems);
  return new PlatformError(error.code, error.reason, message, {
    cause: error,
    problems,
    ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
  });
}
