import type { FieldProblem } from '@mooring/errors';
import type { TrafficTable } from './online.ts';

/** Traffic as the hot path reads it: one slot for each percent point, so a pick is one array read. */
export interface CompiledTraffic {
  /** 100 deployment names, or empty when nothing gets live traffic. */
  slots: readonly string[];
}

export function compileTraffic(traffic: TrafficTable): CompiledTraffic {
  const slots: string[] = [];
  for (const [deployment, percent] of Object.entries(traffic)) {
    for (let point = 0; point < percent; point += 1) slots.push(deployment);
  }
  return { slots };
}

/** The deployment at `point` (0 <= point < 100), or undefined when no deployment gets live traffic. */
export function pickDeployment(traffic: CompiledTraffic, point: number): string | undefined {
  return traffic.slots[Math.floor(point)];
}

/** What is wrong with a traffic table of an endpoint whose deployments are `deployments` (lower case). */
export function trafficProblems(
  traffic: TrafficTable,
  deployments: ReadonlySet<string>,
  path = 'traffic',
): FieldProblem[] {
  const problems = shareProblems(traffic, deployments, path, 100);
  const sum = Object.values(traffic).reduce((total, percent) => total + percent, 0);
  if (sum !== 0 && sum !== 100) problems.push({ path, problem: `sums to ${sum}`, expected: 'a sum of 0 or 100' });
  return problems;
}

/**
 * What is wrong with a mirror table. Azure allows one mirrored deployment; Mooring allows several, each 0..50 and
 * without live traffic (azureml-contract 4.6).
 */
export function mirrorProblems(
  mirror: TrafficTable,
  traffic: TrafficTable,
  deployments: ReadonlySet<string>,
  path = 'mirror_traffic',
): FieldProblem[] {
  const problems = shareProblems(mirror, deployments, path, 50);
  for (const [name, percent] of Object.entries(mirror)) {
    if (percent > 0 && (traffic[name] ?? 0) > 0) {
      problems.push({
        path: `${path}.${name}`,
        problem: `'${name}' already gets ${traffic[name]} % of the live traffic`,
        expected: 'a deployment without live traffic',
      });
    }
  }
  return problems;
}

function shareProblems(
  table: TrafficTable,
  deployments: ReadonlySet<string>,
  path: string,
  largest: number,
): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const [name, percent] of Object.entries(table)) {
    if (!Number.isInteger(percent) || percent < 0 || percent > largest) {
      problems.push({
        path: `${path}.${name}`,
        problem: `${percent} is not a share`,
        expected: `a whole number from 0 to ${largest}`,
      });
    }
    if (!deployments.has(name)) {
      const known = [...deployments].toSorted().join(', ') || 'none yet';
      problems.push({
        path: `${path}.${name}`,
        problem: `there is no deployment '${name}'`,
        expected: `one of: ${known}`,
      });
    }
  }
  return problems;
}
