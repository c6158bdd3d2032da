import { setTimeout as delay } from 'node:timers/promises';
import { Child } from '../../bench/processes/child.ts';
import { asPut, Management } from '../management.ts';
import { processesOf, type ProcessState } from '../observe/processes.ts';
import { Platform } from '../platform.ts';
import { figure, type Program } from '../programs.ts';

const growthMax = 0.1;
/** A cycle of a whole deployment takes a second or two. */
const cyclesPerDeployment = 20;
const inlineMs = 600_000;
const restMs = 2_000;

export interface Growth {
  what: string;
  cycles: number;
  beforeMib: number;
  afterMib: number;
}

/** Loads and unloads of a model in one process, as the data plane does with a tiny one. */
export async function cyclesInline(cycles: number, signal: AbortSignal): Promise<Growth> {
  const child = Child.module('inline cycles', new URL('inline-cycles.ts', import.meta.url), {});
  try {
    const grown = await child.ask<{ beforeMib: number; afterMib: number }>(cycles, inlineMs, signal);
    return { what: 'one process, model inline', cycles, ...grown };
  } finally {
    await child.stop(1_000);
  }
}

/** A deployment is made and removed, which starts and ends a scorer process: what is left in all the others. */
export async function cyclesOfDeployment(cycles: number, signal: AbortSignal): Promise<Growth[]> {
  const platform = new Platform(signal);
  try {
    await platform.start('default', undefined);
    await platform.deploy('model-a', ['blue'], 'instance_count: 1');
    const management = new Management(platform, signal);
    const path = '/onlineEndpoints/model-a/deployments/blue';
    const found = await management.get(path);
    if (found === undefined) throw new Error('the deployment is gone');
    // Without traffic, so that it may be removed.
    const endpoint = await management.get('/onlineEndpoints/model-a');
    if (endpoint === undefined) throw new Error('the endpoint is gone');
    const quiet = asPut(endpoint);
    quiet.properties['traffic'] = {};
    await management.put('/onlineEndpoints/model-a', quiet);
    await management.settled('/onlineEndpoints/model-a');
    const cycle = async (): Promise<void> => {
      await management.remove(path);
      await management.gone(path);
      await management.put(path, asPut(found));
      const state = await management.settled(path);
      if (state !== 'Succeeded') throw new Error(`the deployment became ${state}`);
    };
    for (let n = 0; n < Math.max(2, cycles / 10); n += 1) await cycle();
    await delay(restMs, undefined, { signal });
    const before = await processesOf(platform, []);
    for (let n = 0; n < cycles; n += 1) await cycle();
    await delay(restMs, undefined, { signal });
    return growthOf(before, await processesOf(platform, []), cycles);
  } finally {
    await platform.stop();
  }
}

function growthOf(before: readonly ProcessState[], after: readonly ProcessState[], cycles: number): Growth[] {
  return before.map(({ name, pid, rssMib }) => {
    const now = after.find((one) => one.pid === pid);
    return { what: `process ${name}`, cycles, beforeMib: rssMib, afterMib: now?.rssMib ?? Number.NaN };
  });
}

export const unloadProgram: Program = {
  name: 'unload',
  about: 'a model is loaded and unloaded over and over: memory comes back',
  run: async ({ cycles }, signal) => {
    const inline = await cyclesInline(cycles, signal);
    const rest = await cyclesOfDeployment(Math.max(3, Math.round(cycles / cyclesPerDeployment)), signal);
    let passed = true;
    for (const { what, cycles: count, beforeMib, afterMib } of [inline, ...rest]) {
      const grown = afterMib / beforeMib - 1;
      passed = passed && grown <= growthMax;
      figure(
        `unload ${what}: ${count} loads and unloads, RSS ${beforeMib.toFixed(1)} MiB before, ${afterMib.toFixed(1)} MiB ` +
          `after, ${(100 * grown).toFixed(1)} % (at most ${100 * growthMax})`,
      );
    }
    return passed;
  },
};
