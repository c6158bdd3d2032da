import type { AssetKind, EnvironmentVersionSpec, SpecByKind, SpecProblem } from '@mooring/domain';
import { sameJson } from './same-json.ts';

type AssetSpec = SpecByKind[AssetKind];

/** What a version is made of; everything else (tags, description, stage, archived) may change. */
const content: Readonly<Record<AssetKind, readonly string[]>> = {
  model: ['type', 'path'],
  environment: ['image', 'condaFile', 'build', 'osType'],
  code: ['path'],
  data: ['type', 'path'],
  component: ['component'],
};

/** azureml-contract 1.6: an environment is an image with packages on top, or a build context. */
export function environmentProblems(spec: EnvironmentVersionSpec): SpecProblem[] {
  const problems: SpecProblem[] = [];
  if (spec.image === undefined && spec.build === undefined) {
    problems.push({ path: 'image', problem: 'is missing', expected: 'an image or a build context' });
  }
  if (spec.image !== undefined && spec.build !== undefined) {
    problems.push({ path: 'build', problem: 'cannot stand beside image', expected: 'either image or build' });
  }
  if (spec.condaFile !== undefined && spec.build !== undefined) {
    problems.push({ path: 'condaFile', problem: 'cannot stand beside build', expected: 'condaFile only with image' });
  }
  return problems;
}

/** azureml-contract 1.1: a version is written once; what would change its content is refused. */
export function writeOnceProblems(kind: AssetKind, spec: AssetSpec, current: AssetSpec | undefined): SpecProblem[] {
  if (current === undefined) return [];
  const fieldOf = (from: AssetSpec, field: string): unknown => (from as unknown as Record<string, unknown>)[field];
  return content[kind]
    .filter((field) => !sameJson(fieldOf(spec, field), fieldOf(current, field)))
    .map((field) => ({
      path: field,
      problem: 'cannot be changed: this version exists already with other content',
      expected: 'a new version',
    }));
}
