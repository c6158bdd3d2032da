import { PlatformError } from '@mooring/errors';
import type { ProcessPlan } from './topology.ts';

/** The own nats-server's name among the processes. */
export const natsName = 'nats';

const groups: Readonly<Record<string, (targets: readonly string[]) => boolean>> = {
  edge: (targets) => targets.some((target) => target === 'gateway' || target === 'router'),
  control: (targets) => targets.some((target) => target !== 'gateway' && target !== 'router'),
};

/**
 * The processes that `name` means, in the order in which they are replaced: a process (`edge-2`, `nats`), a group (`edge`,
 * `control`), a service (`router`: the processes that run it), or all of them but NATS when absent. Throws `not_found` with
 * the names that there are.
 */
export function processesToRestart(
  plans: readonly ProcessPlan[],
  name: string | undefined,
  ownNats: boolean,
): readonly string[] {
  if (name === undefined) return plans.map((plan) => plan.name);
  if (name === natsName && ownNats) return [natsName];
  const group = Object.hasOwn(groups, name) ? groups[name] : undefined;
  const found = plans.filter(
    (plan) => plan.name === name || plan.targets.includes(name) || group?.(plan.targets) === true,
  );
  if (found.length > 0) return found.map((plan) => plan.name);
  const names = new Set([
    ...Object.keys(groups),
    ...plans.flatMap((plan) => [plan.name, ...plan.targets]),
    ...(ownNats ? [natsName] : []),
  ]);
  const message = `there is no process or service '${name.slice(0, 60)}'; there are: ${[...names].join(', ')}`;
  throw new PlatformError('not_found', 'PROCESS_NOT_FOUND', message);
}
