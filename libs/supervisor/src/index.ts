export { cleanUp } from './clean-up.ts';
export { supervise, type RunningPlatform, type SuperviseOptions } from './supervise.ts';
export { defaultEdges, processesOf, topologyNames, type ProcessPlan, type TopologyName } from './topology.ts';
