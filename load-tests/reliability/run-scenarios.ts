import { setTimeout as delay } from 'node:timers/promises';
import type { Target } from './callers.ts';
import { loadCases } from './cases.ts';
import type { Options } from './cli.ts';
import { startLoad, type Load } from './load.ts';
import { Platform } from './platform.ts';
import { deployments, endpointNames, endpoints, scenariosOf, type Ground, type Scenario } from './scenarios.ts';
import { countRetries, type RetryCounter } from './retries.ts';
import type { Tally } from './tally.ts';

/** Load before the first change and after the last one of a scenario. */
const settleMs = 1_000;
/** Requests before the first scenario, which do not count: connections open, code is compiled. */
const warmupMs = 2_000;

/** Runs the scenarios one after the other on one platform; true when none lost or mistook a request. */
export async function runScenarios(options: Options, signal: AbortSignal): Promise<boolean> {
  const platform = new Platform(signal);
  let passed = true;
  try {
    await platform.start(options.topology, options.edges);
    const ground: Ground = { platform, keys: new Map() };
    for (const name of endpointNames) {
      await platform.deploy(name, deployments, endpoints[name]?.more ?? '');
      ground.keys.set(name, await platform.key(name, 'primaryKey'));
    }
    const retries = countRetries(platform);
    const load = startLoad(options.rate, loadCases(), (index) => targetOf(ground, index));
    try {
      await delay(warmupMs, undefined, { signal });
      for (const scenario of scenariosOf(options.topology).filter(({ name }) => options.only.includes(name))) {
        passed = (await runOne(scenario, ground, { load, retries }, options.count, signal)) && passed;
      }
    } finally {
      retries.stop();
      await load.stop();
    }
  } finally {
    await platform.stop();
  }
  return passed;
}

function targetOf({ platform, keys }: Ground, index: number): Target {
  const endpoint = endpointNames[index % endpointNames.length] ?? '';
  return { http: platform.http, grpc: platform.grpc, endpoint, key: keys.get(endpoint) ?? '' };
}

async function runOne(
  scenario: Scenario,
  ground: Ground,
  { load, retries }: { load: Load; retries: RetryCounter },
  count: number,
  signal: AbortSignal,
): Promise<boolean> {
  const retriedBefore = await retries.total();
  load.begin();
  await delay(settleMs, undefined, { signal });
  for (let turn = 0; turn < count; turn += 1) await scenario.change(ground, turn);
  await delay(settleMs, undefined, { signal });
  const tally = await load.taken();
  const lost = tally.lost + (scenario.mayRefuseStarted === true ? 0 : tally.refusedStarted);
  process.stdout.write(`${lineOf(scenario, count, tally, lost, (await retries.total()) - retriedBefore)}\n`);
  for (const [detail, times] of tally.details) process.stdout.write(`  ${times} x ${detail}\n`);
  return lost === 0 && tally.wrong === 0;
}

/** In the form of all reliability figures: runs, requests, lost, wrong, retried, longest gap. */
function lineOf(
  { name, mayRefuseStarted }: Scenario,
  count: number,
  tally: Tally,
  lost: number,
  retried: number,
): string {
  const started = mayRefuseStarted === true ? `, ${tally.refusedStarted} started ones answered 503` : '';
  const gap = (tally.longestGapMs / 1_000).toFixed(2);
  const late = (tally.latestMs / 1_000).toFixed(2);
  const slowest = (tally.slowestMs / 1_000).toFixed(2);
  return (
    `${name}: ${count} runs, ${tally.sent} requests, ${lost} lost, ${tally.wrong} wrong${started}, ` +
    `${retried} retried, longest gap ${gap} s, slowest answer ${slowest} s (${tally.slowestCaller}), sent at most ${late} s late`
  );
}
