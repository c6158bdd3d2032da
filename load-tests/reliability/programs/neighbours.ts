import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { keptConnections, type Target } from '../callers.ts';
import { loadCases } from '../cases.ts';
import { asPut, Management, type Resource } from '../management.ts';
import { median, quantile } from '../observe/slope.ts';
import { Platform, yamlOf } from '../platform.ts';
import { figure, type Program } from '../programs.ts';
import { smallRequests, type SmallRequests } from '../small-requests.ts';

const fixtures = (path: string): string =>
  fileURLToPath(new URL(`../../../libs/testing/fixtures/${path}`, import.meta.url));
const script = fileURLToPath(new URL('../../bench/scripts', import.meta.url));
const iris = fixtures('iris-onnx/model.onnx');
const perSecond = 200;
const windowMs = 3_000;
/** What item 11 of the reliability goals allows model A. */
const ratioMax = 1.1;

/** Model B, in every way in which one is loaded. */
const neighbours: Readonly<Record<string, { model?: string; more: string }>> = {
  inline: { model: iris, more: '' },
  threads: { model: iris, more: 'properties: {mooring.placement: threads}' },
  process: { model: iris, more: 'properties: {mooring.placement: process}' },
  python: {
    more: `code_configuration: {code: ${script}, scoring_script: sum.py}\nenvironment: {image: "mcr.microsoft.com/azureml/minimal:1"}`,
  },
  failing: { model: fixtures('slow-and-bad/models/corrupt.onnx'), more: '' },
};

/** What a spec may change. */
export interface NeighbourRun {
  kinds: readonly string[];
  rounds: number;
}

export interface NeighbourFigures {
  kind: string;
  aloneP99Ms: number;
  besideP99Ms: number;
  ratio: number;
  failed: number;
}

/** Windows in which A is alone and in which B is loaded, warmed and unloaded alternate. */
export async function measureNeighbours(run: NeighbourRun, signal: AbortSignal): Promise<NeighbourFigures[]> {
  const platform = new Platform(signal);
  const caller = keptConnections(false);
  const figures: NeighbourFigures[] = [];
  try {
    await platform.start('default', undefined);
    await platform.deploy('model-a', ['blue'], 'instance_count: 1');
    const target: Target = { ...platform, endpoint: 'model-a', key: await platform.key('model-a', 'primaryKey') };
    const { http, grpc } = platform;
    const requests = (over: Promise<unknown>): Promise<SmallRequests> =>
      smallRequests(caller, { ...target, http, grpc }, loadCases(), perSecond, over);
    await requests(delay(windowMs, undefined, { signal }));
    const management = new Management(platform, signal);
    for (const kind of run.kinds) {
      const b = await prepare(platform, management, kind);
      const rows: { alone: number; beside: number }[] = [];
      let failed = 0;
      for (let round = 0; round < run.rounds; round += 1) {
        const alone = await requests(delay(windowMs, undefined, { signal }));
        const beside = await requests(Promise.all([cycle(management, b), delay(windowMs, undefined, { signal })]));
        failed += alone.failed + beside.failed;
        rows.push({ alone: quantile(alone.latencies, 0.99), beside: quantile(beside.latencies, 0.99) });
      }
      const [alone, beside] = [median(rows.map((row) => row.alone)), median(rows.map((row) => row.beside))];
      figures.push({ kind, aloneP99Ms: alone, besideP99Ms: beside, ratio: beside / alone, failed });
    }
  } finally {
    caller.close();
    await platform.stop();
  }
  return figures;
}

interface Neighbour {
  path: string;
  resource: Resource;
}

/** Makes B once by the command line, so that its files are there, and takes it away again. */
async function prepare(platform: Platform, management: Management, kind: string): Promise<Neighbour> {
  const { model, more } = neighbours[kind] ?? { more: '' };
  const endpoint = `model-b-${kind}`;
  const file = join(mkdtempSync(join(platform.data, 'yaml-')), 'file.yml');
  writeFileSync(file, `name: ${endpoint}\nauth_mode: key\n`);
  await platform.mooring('online-endpoint', 'create', '-f', file);
  writeFileSync(file, yamlOf(endpoint, 'blue', `instance_count: 1\n${more}`, model));
  // One that cannot be loaded makes the command fail, as it should.
  await platform.mooring('online-deployment', 'create', '-f', file).catch(() => undefined);
  const path = `/onlineEndpoints/${endpoint}/deployments/blue`;
  await management.settled(path);
  const resource = await management.get(path);
  if (resource === undefined) throw new Error(`the deployment of ${endpoint} was not made`);
  await unload(management, path);
  return { path, resource: asPut(resource) };
}

async function cycle(management: Management, { path, resource }: Neighbour): Promise<void> {
  await management.put(path, resource);
  await management.settled(path);
  await unload(management, path);
}

async function unload(management: Management, path: string): Promise<void> {
  await management.remove(path);
  await management.gone(path);
}

export const neighboursProgram: Program = {
  name: 'neighbours',
  about: 'model B is loaded, warmed, fails to load and is unloaded beside model A: what happens to the p99 of A',
  run: async ({ count }, signal) => {
    const rounds = Math.min(count, 10);
    const figures = await measureNeighbours({ kinds: Object.keys(neighbours), rounds }, signal);
    for (const { kind, aloneP99Ms, besideP99Ms, ratio, failed } of figures) {
      figure(
        `neighbours ${kind}: ${rounds} loads and unloads, p99 of A alone ${aloneP99Ms.toFixed(2)} ms, beside ` +
          `${besideP99Ms.toFixed(2)} ms, ratio ${ratio.toFixed(2)} (at most ${ratioMax}), ${failed} failed`,
      );
    }
    return figures.every(({ ratio, failed }) => ratio <= ratioMax && failed === 0);
  },
};
