import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { keptConnections } from '../callers.ts';
import { loadCases } from '../cases.ts';
import { median, quantile } from '../observe/slope.ts';
import { Platform, yamlOf } from '../platform.ts';
import { figure, type Program } from '../programs.ts';
import { smallRequests } from '../small-requests.ts';
import { probeRest } from './probes.ts';

const mebibytes = 50;
const perSecond = 200;
const windowMs = 3_000;
/** Between two large bodies. */
const pauseMs = 200;
const addedMaxMs = 5;
const script = 'def init(): pass\ndef run(raw_data):\n    return {"bytes": len(raw_data)}\n';

export interface LargeBodyFigures {
  to: string;
  aloneP99Ms: number;
  besideP99Ms: number;
  bodies: number;
  failed: number;
}

/** Windows with and without bodies of 50 MiB to a scoring script alternate; small requests go to a model of each placement. */
export async function measureLargeBodies(rounds: number, signal: AbortSignal): Promise<LargeBodyFigures[]> {
  const platform = new Platform(signal);
  const caller = keptConnections(false);
  try {
    await platform.start('default', undefined);
    await platform.deploy('inline', ['blue'], 'instance_count: 1');
    await platform.deploy('apart', ['blue'], 'instance_count: 1\nproperties: {mooring.placement: process}');
    const key = await deployScript(platform);
    const body = Buffer.alloc(mebibytes * 2 ** 20, 'x');
    const large = (): Promise<number> => probeRest(`${platform.http}/endpoints/large/score`, key, body);
    await large();
    const figures: LargeBodyFigures[] = [];
    for (const endpoint of ['inline', 'apart']) {
      const { http, grpc } = platform;
      const target = { http, grpc, endpoint, key: await platform.key(endpoint, 'primaryKey') };
      const window = (over: Promise<unknown>) => smallRequests(caller, target, loadCases(), perSecond, over);
      await window(delay(windowMs / 2));
      const rows: { alone: number; beside: number }[] = [];
      let [bodies, failed] = [0, 0];
      for (let round = 0; round < rounds; round += 1) {
        const alone = await window(delay(windowMs, undefined, { signal }));
        const endsAt = performance.now() + windowMs;
        const sendLarge = async (): Promise<void> => {
          for (; performance.now() < endsAt; bodies += 1) {
            await large();
            await delay(pauseMs, undefined, { signal });
          }
        };
        const beside = await window(sendLarge());
        failed += alone.failed + beside.failed;
        rows.push({ alone: quantile(alone.latencies, 0.99), beside: quantile(beside.latencies, 0.99) });
      }
      const [aloneP99Ms, besideP99Ms] = [median(rows.map((row) => row.alone)), median(rows.map((row) => row.beside))];
      figures.push({ to: endpoint, aloneP99Ms, besideP99Ms, bodies, failed });
    }
    return figures;
  } finally {
    caller.close();
    await platform.stop();
  }
}

async function deployScript(platform: Platform): Promise<string> {
  const folder = mkdtempSync(join(platform.data, 'yaml-'));
  const file = join(folder, 'file.yml');
  writeFileSync(join(folder, 'score.py'), script);
  writeFileSync(file, 'name: large\nauth_mode: key\n');
  await platform.mooring('online-endpoint', 'create', '-f', file);
  const more = [
    'instance_count: 1',
    `code_configuration: {code: ${folder}, scoring_script: score.py}`,
    'environment: {image: "mcr.microsoft.com/azureml/minimal:1"}',
  ].join('\n');
  writeFileSync(file, yamlOf('large', 'blue', more, undefined));
  await platform.mooring('online-deployment', 'create', '-f', file, '--all-traffic');
  return platform.key('large', 'primaryKey');
}

export const largeBodiesProgram: Program = {
  name: 'large-bodies',
  about: 'bodies of 50 MiB through the gateway to a script: what they add to the p99 of small requests to other models',
  run: async ({ count }, signal) => {
    const rounds = Math.min(count, 10);
    const figures = await measureLargeBodies(rounds, signal);
    for (const { to, aloneP99Ms, besideP99Ms, bodies, failed } of figures) {
      figure(
        `large-bodies ${to}: ${bodies} bodies of ${mebibytes} MiB in ${rounds} windows, p99 of small requests alone ` +
          `${aloneP99Ms.toFixed(2)} ms, beside ${besideP99Ms.toFixed(2)} ms, added ${(besideP99Ms - aloneP99Ms).toFixed(2)} ms ` +
          `(at most ${addedMaxMs}), ${failed} failed`,
      );
    }
    return figures.every(
      ({ aloneP99Ms, besideP99Ms, failed }) => besideP99Ms - aloneP99Ms <= addedMaxMs && failed === 0,
    );
  },
};
