import type { SpecProblem } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { parseYaml } from '../yaml/read-yaml.ts';

const expected = "YAML: a mapping with 'dependencies', a list of packages";

/** What is wrong with the text of a conda file, found in bounded time. One without any content names no packages. */
export function condaProblem(text: string, path: string): SpecProblem | undefined {
  try {
    const [document, another] = parseYaml(text, 'the conda file');
    if (another !== undefined) return { path, problem: 'holds more than one document', expected };
    if (document === undefined) return undefined;
    const { value } = document;
    if (typeof value !== 'object' || Array.isArray(value)) return { path, problem: 'holds no mapping', expected };
    const dependencies = (value as { dependencies?: unknown } | null)?.dependencies ?? [];
    if (Array.isArray(dependencies)) return undefined;
    return { path: `${path}.dependencies`, problem: 'is no list', expected: 'a list of packages' };
  } catch (thrown) {
    const error = PlatformError.from(thrown);
    const [first] = error.problems;
    return { path, problem: first === undefined ? error.message : `${first.path}: ${first.problem}`, expected };
  }
}
