import type { Scenario } from 'k6/options';
import { callGrpc } from './grpc.ts';
import type { Outcome } from './outcome.ts';
import { callOip, callScore } from './rest.ts';
import { settings, type Surface } from './settings.ts';

type Iteration = () => Promise<void>;

/** One iteration a surface: one request, judged. Scenarios name the function by the surface. */
export function everySurface(judge: (outcome: Outcome) => void): { [surface in Surface]: Iteration } {
  return {
    score: async () => judge(await callScore()),
    oip: async () => judge(await callOip()),
    grpc: async () => judge(await callGrpc()),
  };
}

/** The same load on every chosen surface, each a scenario of its own. */
export function onSurfaces(scenarioOf: (surface: Surface) => Scenario): { [name: string]: Scenario } {
  const scenarios: { [name: string]: Scenario } = {};
  for (const surface of settings.surfaces) scenarios[surface] = { ...scenarioOf(surface), exec: surface };
  return scenarios;
}

/** k6 takes some megabytes for each virtual user; beyond this number they are made when they are needed. */
const usersAtStartMax = 200;

/**
 * Virtual users for an arrival rate: enough that, by Little's law, even answers as late as the deadline find one free.
 * Those for answers within half a second are there from the start.
 */
export function usersFor(ratePerSecond: number): { preAllocatedVUs: number; maxVUs: number } {
  const maxVUs = Math.max(2, Math.ceil((ratePerSecond * settings.deadlineMs) / 1000));
  const atStart = Math.min(usersAtStartMax, Math.max(20, Math.ceil(ratePerSecond / 2)));
  return { preAllocatedVUs: Math.min(maxVUs, atStart), maxVUs };
}

/** The figures that a reader of the summary needs: p99 beside the median, and the worst. */
export const summaryTrendStats = ['min', 'med', 'avg', 'p(90)', 'p(95)', 'p(99)', 'max', 'count'];
