export type TopologyName = 'default' | 'single' | 'split';

/** One process of the platform and the services that run in it. */
export interface ProcessPlan {
  name: string;
  targets: readonly string[];
}

const control = ['auth', 'registry', 'controller', 'batch-scheduler', 'worker', 'management'];
const edge = ['router', 'gateway'];

/** Processes in the order in which they start; they stop in reverse, so callers are let go first. Scorers are apart always. */
const topologies: Readonly<Record<TopologyName, readonly ProcessPlan[]>> = {
  default: [
    { name: 'control', targets: control },
    { name: 'edge', targets: edge },
  ],
  single: [{ name: 'platform', targets: [...control, ...edge] }],
  split: [...control, ...edge].map((target) => ({ name: target, targets: [target] })),
};

export const topologyNames = Object.keys(topologies) as TopologyName[];

export function processesOf(topology: TopologyName): readonly ProcessPlan[] {
  return topologies[topology];
}
