import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadCases } from '../cases.ts';
import { processesOf } from '../observe/processes.ts';
import { quantile, slopeOf, type Point, type Slope } from '../observe/slope.ts';
import { Platform, yamlOf } from '../platform.ts';
import { figure, type Program } from '../programs.ts';
import { mixedLoad } from './mixed-load.ts';

const scripts = fileURLToPath(new URL('../../bench/scripts', import.meta.url));
const perSecond = 150;
const samples = 400;
/** Heaps grow into their work first: what counts comes after this share of the time. */
const warmShare = 0.25;
/** Slopes that a platform may not have: 24 MiB an hour is half a gigabyte a day. */
const rssSlopeMax = 24;
const descriptorSlopeMax = 5;

export interface ProcessSlopes {
  name: string;
  rssMib: number;
  rss: Slope;
  descriptors: Slope;
  restarted: boolean;
}

export interface SoakFigures {
  processes: ProcessSlopes[];
  requests: number;
  wrong: readonly string[];
  p99Ms: number;
}

/** Everything that callers do, for long. */
export async function soak(minutes: number, signal: AbortSignal): Promise<SoakFigures> {
  const platform = new Platform(signal);
  try {
    await platform.start('default', undefined);
    await platform.deploy('inline', ['blue'], 'instance_count: 1');
    await platform.deploy('apart', ['blue'], 'instance_count: 1\nproperties: {mooring.placement: process}');
    await deployScript(platform);
    const endpoints = ['inline', 'apart', 'script'];
    const keys = new Map<string, string>();
    for (const endpoint of endpoints) keys.set(endpoint, await platform.key(endpoint, 'primaryKey'));
    const series = new Map<string, { name: string; rss: Point[]; descriptors: Point[] }>();
    const load = mixedLoad(platform, keys, loadCases(), perSecond);
    const from = performance.now();
    const endsAt = from + minutes * 60_000;
    while (performance.now() < endsAt) {
      await delay((minutes * 60_000) / samples, undefined, { signal });
      const at = performance.now();
      for (const { name, pid, rssMib, descriptors } of await processesOf(platform, endpoints)) {
        const one = series.get(`${pid}`) ?? { name, rss: [], descriptors: [] };
        one.rss.push({ at, value: rssMib });
        one.descriptors.push({ at, value: descriptors });
        series.set(`${pid}`, one);
      }
    }
    const { sent, wrong, latencies } = await load.stop();
    const counts = (points: readonly Point[]): Point[] =>
      points.filter(({ at }) => at - from > warmShare * (endsAt - from));
    const processes = [...series.values()].map(({ name, rss, descriptors }) => ({
      name,
      rssMib: rss.at(-1)?.value ?? Number.NaN,
      rss: slopeOf(counts(rss)),
      descriptors: slopeOf(counts(descriptors)),
      restarted: (rss[0]?.at ?? from) - from > 0.5 * (endsAt - from),
    }));
    return { processes, requests: sent, wrong, p99Ms: quantile(latencies, 0.99) };
  } finally {
    await platform.stop();
  }
}

async function deployScript(platform: Platform): Promise<void> {
  const file = join(mkdtempSync(join(platform.data, 'yaml-')), 'file.yml');
  writeFileSync(file, 'name: script\nauth_mode: key\n');
  await platform.mooring('online-endpoint', 'create', '-f', file);
  const more = [
    'instance_count: 1',
    `code_configuration: {code: ${scripts}, scoring_script: sum.py}`,
    'environment: {image: "mcr.microsoft.com/azureml/minimal:1"}',
    'environment_variables: {WORKER_COUNT: "2"}',
  ].join('\n');
  writeFileSync(file, yamlOf('script', 'blue', more, undefined));
  await platform.mooring('online-deployment', 'create', '-f', file, '--all-traffic');
}

/** Within its noise, or below what is allowed. */
export function isFlat({ perHour, noise }: Slope, most: number): boolean {
  return !(perHour - 2 * noise > most);
}

export const soakProgram: Program = {
  name: 'soak',
  about: 'mixed load for long: REST, gRPC, Python, errors and callers who leave; what grows',
  run: async ({ minutes }, signal) => {
    const { processes, requests, wrong, p99Ms } = await soak(minutes, signal);
    const shown = ({ perHour, noise }: Slope): string => `${perHour.toFixed(2)} (+-${noise.toFixed(2)})`;
    for (const { name, rssMib, rss, descriptors } of processes) {
      figure(
        `soak ${name}: RSS ${rssMib.toFixed(1)} MiB, ${shown(rss)} MiB/h, descriptors ${shown(descriptors)} an hour`,
      );
    }
    figure(
      `soak: ${minutes} min, ${requests} requests, ${wrong.length} not as they should be, p99 ${p99Ms.toFixed(1)} ms`,
    );
    for (const text of wrong.slice(0, 10)) figure(`  ${text}`);
    const flat = processes.every(
      ({ rss, descriptors }) => isFlat(rss, rssSlopeMax) && isFlat(descriptors, descriptorSlopeMax),
    );
    return flat && wrong.length === 0 && processes.every(({ restarted }) => !restarted);
  },
};
