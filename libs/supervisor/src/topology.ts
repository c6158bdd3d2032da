export type TopologyName = 'default' | 'single' | 'split';

/** One process of the platform and the services that run in it. */
export interface ProcessPlan {
  name: string;
  targets: readonly string[];
  /** Settings of this process alone. */
  environment?: Readonly<Record<string, string>>;
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

/**
 * The processes of a topology, with `edges` data-plane processes on the same ports. The first one settles which ports
 * these are; the others start after it.
 */
export function processesOf(topology: TopologyName, edges = 1): readonly ProcessPlan[] {
  const plans = topologies[topology];
  if (edges === 1) return plans;
  if (topology !== 'default')
    throw new Error(`the topology '${topology}' has one data-plane process; leave --edge out`);
  return [
    ...plans.filter(({ name }) => name !== 'edge'),
    ...Array.from({ length: edges }, (_, index) => edgeOf(index + 1, edges)),
  ];
}

function edgeOf(number: number, edges: number): ProcessPlan {
  const shared = {
    MOORING_GATEWAY_REUSE_PORT: 'true',
    MOORING_ROUTER_REUSE_PORT: 'true',
    MOORING_ROUTER_SHARE_OF: String(edges),
  };
  if (number === 1) return { name: 'edge', targets: edge, environment: shared };
  // A socket in the run folder belongs to one process; a gateway in a process of its own finds the first router.
  const own = { MOORING_ROUTER_ID: `router-${number}`, MOORING_ROUTER_ADDRESS: 'none' };
  return { name: `edge-${number}`, targets: edge, environment: { ...shared, ...own } };
}

/** Cores that one data-plane process stands beside: models, the control process and nats-server need theirs. */
const coresPerEdge = 4;
const edgesMost = 8;

/** Data-plane processes that suit a machine with so many cores. */
export function defaultEdges(cores: number): number {
  return Math.max(1, Math.min(edgesMost, Math.floor(cores / coresPerEdge)));
}
