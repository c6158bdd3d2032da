import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endpointYaml, figure, fixtures, onnxYaml, startPlatform, topology, until, type Platform } from './harness.ts';

let platform: Platform;
let key = '';
/** The process that holds the router. */
const dataPlane = { default: 'edge', single: 'platform', split: 'router' }[topology] ?? 'edge';

interface Shown {
  placement?: { chosen: string; why: string; run_us: number };
}

beforeAll(async () => {
  platform = await startPlatform();
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('placed')));
  const pinned = 'properties: {mooring.placement: process}';
  for (const [name, more] of [
    ['auto', ''],
    ['pinned', pinned],
  ] as const) {
    const yaml = onnxYaml('placed', name, join(fixtures, 'iris-onnx/model.onnx'), more);
    await platform.json('online-deployment', 'create', '-f', platform.yaml(yaml));
  }
  key = await platform.key('placed');
});
afterAll(() => platform.remove());

const score = (deployment: string) =>
  platform.send('/endpoints/placed/score', {
    key,
    headers: { 'azureml-model-deployment': deployment },
    body: '{"data": [[5.1, 3.5, 1.4, 0.2], [6.3, 3.3, 6.0, 2.5]]}',
    timeoutMs: 10_000,
  });
const shown = (name: string): Promise<Shown> =>
  platform.json<Shown>('online-deployment', 'show', '-n', name, '-e', 'placed');

/** Models that run in the data-plane process, by its own account. */
function inside(): string[] {
  try {
    const text = readFileSync(join(platform.data, `run/inline-${dataPlane}.json`), 'utf8');
    return (JSON.parse(text) as { digests: string[] }).digests;
  } catch {
    return [];
  }
}

function pidOf(name: string): number {
  const file = readFileSync(join(platform.data, 'run/supervisor.json'), 'utf8');
  const { children } = JSON.parse(file) as { children: { name: string; pid: number }[] };
  return children.find((child) => child.name === name)?.pid ?? 0;
}

/** Ends the data-plane process with a signal and waits until another serves. */
async function end(signal: NodeJS.Signals): Promise<void> {
  const before = pidOf(dataPlane);
  process.kill(before, signal);
  await until('another data-plane process', async () => ![0, before].includes(pidOf(dataPlane)));
  await until('answers', async () => (await score('auto')).status === 200);
}

it('shows where a model runs and why, and answers the same bytes from there', async () => {
  expect((await shown('auto')).placement).toMatchObject({ chosen: 'inline', why: expect.stringContaining('one run') });
  expect((await shown('pinned')).placement).toMatchObject({
    chosen: 'process',
    why: expect.stringContaining('says so'),
  });
  await until('the model inline', async () => inside().length === 1);
  const [auto, pinned] = [await score('auto'), await score('pinned')];
  expect([auto.status, pinned.status]).toEqual([200, 200]);
  expect(auto.body.equals(pinned.body)).toBe(true);
});

it('is inline again after its process was killed from outside', async () => {
  await end('SIGKILL');
  await until('the model inline', async () => inside().length === 1);
  expect((await shown('auto')).placement?.chosen).toBe('inline');
});

it('is never inline again after its process ended in native code, and says so', async () => {
  await end('SIGSEGV');
  await until('word of it', async () => (await shown('auto')).placement?.chosen === 'process');
  expect((await shown('auto')).placement?.why).toContain('SIGSEGV');
  expect(inside()).toEqual([]);
  expect((await score('auto')).status).toBe(200);
});

it('is tuned under load beside the live deployment, and the best is written into its file', async () => {
  const yaml = onnxYaml('placed', 'pinned', join(fixtures, 'iris-onnx/model.onnx'), '# comments stay');
  const file = platform.yaml(yaml, { 'request.json': '{"data": [[5.1, 3.5, 1.4, 0.2]]}' });
  const request = join(dirname(file), 'request.json');
  const table = await platform.json<{ threads: number; requests_per_s: number; failed: number; best: string }[]>(
    ...`online-deployment autotune --in-flight 4 --seconds 1 -f ${file} -r ${request}`.split(' '),
  );
  figure(`autotune of iris: ${table.map((row) => `${row.threads}: ${row.requests_per_s}/s`).join(', ')}`);
  expect(table.length).toBeGreaterThanOrEqual(3);
  expect(table.every((row) => row.requests_per_s > 0 && row.failed === 0)).toBe(true);
  const best = table.find((row) => row.best === 'yes');
  const text = readFileSync(file, 'utf8');
  expect(text).toContain(`mooring.threads: "${best?.threads}"`);
  expect(text).toContain('# comments stay');
  await until('the copy to be gone', async () => {
    const { code } = await platform.mooring('online-deployment', 'show', '-n', 'pinned-tune', '-e', 'placed');
    return code === 3;
  });
});
