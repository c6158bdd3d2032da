import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { endpointYaml, figure, fixtures, onnxYaml, parallel, startPlatform, until, type Platform } from './harness.ts';

const edges = 3;
const body = '{"data": [[5.1, 3.5, 1.4, 0.2]]}';
let platform: Platform;
let key = '';

beforeAll(async () => {
  // The other topologies have one data-plane process.
  platform = await startPlatform({}, ['--topology', 'default', '--edge', String(edges)]);
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('wide')));
  for (const name of ['blue', 'green']) {
    const yaml = onnxYaml('wide', name, join(fixtures, 'iris-onnx/model.onnx'));
    await platform.json('online-deployment', 'create', '-f', platform.yaml(yaml));
  }
  await platform.json(
    'online-endpoint',
    'update',
    '-n',
    'wide',
    '--traffic',
    'blue=100',
    '--mirror-traffic',
    'green=20',
  );
  key = await platform.key('wide');
});
afterAll(() => platform.remove());

/** One request on a connection of its own, which the kernel gives to one of the processes. */
function once(withKey = key): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: `Bearer ${withKey}`, 'content-length': body.length };
    const agent = new Agent({ keepAlive: false });
    const call = request(`${platform.http}/endpoints/wide/score`, { method: 'POST', agent, headers }, (response) => {
      response.resume().on('end', () => resolve(response.statusCode ?? 0));
    });
    call.on('error', () => resolve(0));
    call.setTimeout(10_000, () => call.destroy());
    call.end(body);
  });
}

async function requestsByProcess(): Promise<Map<string, number>> {
  const page = await (await fetch(`${platform.management}/metrics`, { signal: AbortSignal.timeout(10_000) })).text();
  const found = new Map<string, number>();
  for (const [, labels = '', value = ''] of page.matchAll(/^mooring_requests_total\{(.*)\} (\S+)$/gm)) {
    const process = /process="([^"]*)"/.exec(labels)?.[1] ?? '';
    if (labels.includes('endpoint="wide"') && labels.includes('code="200"')) {
      found.set(process, (found.get(process) ?? 0) + Number(value));
    }
  }
  return found;
}

it('several data-plane processes share the ports; their counters and mirror reports add up to what was sent', async () => {
  const total = 600;
  const statuses = await parallel(total, 6, () => once());
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  const counted = await requestsByProcess();
  figure(`edges: ${total} requests over ${JSON.stringify(Object.fromEntries(counted))}`);
  expect(counted.size).toBe(edges);
  expect([...counted.values()].reduce((sum, count) => sum + count, 0)).toBe(total);
  const sent = await until('every router to have told of its copies', async () => {
    const [report] = await platform.json<{ sent: number; dropped: number; routers: number }[]>(
      'online-endpoint',
      'mirror-report',
      '-n',
      'wide',
    );
    return report !== undefined && report.routers === edges && report.sent + report.dropped;
  });
  expect(Math.abs(sent / total - 0.2)).toBeLessThan(0.08);
});

it('a request is explained from whichever of them answered it', async () => {
  const answers = await parallel(9, 9, () => platform.send('/endpoints/wide/score', { key, body }));
  const explained = await parallel(answers.length, 3, async (n) => {
    const id = answers[n]?.headers['x-request-id'] ?? '';
    const [record] = await platform.json<{ requestId: string; process: string }[]>('request', 'explain', id);
    expect(record?.requestId).toBe(id);
    return record?.process ?? '';
  });
  expect(new Set(explained).size).toBeGreaterThan(1);
});

it('a change reaches all of them within a second', async () => {
  const old = key;
  await platform.json('online-endpoint', 'regenerate-keys', '-n', 'wide', '--key-type', 'primary');
  const at = Date.now();
  await until('every process to refuse the old key', async () =>
    (await parallel(30, 6, () => once(old))).every((status) => status === 401),
  );
  expect(Date.now() - at).toBeLessThan(2_000);
  key = await platform.key('wide');
});

it('one that is killed takes only its own connections along, and comes back on the same ports', async () => {
  const file = join(platform.data, 'run/supervisor.json');
  const children = (): { name: string; pid: number }[] =>
    (JSON.parse(readFileSync(file, 'utf8')) as { children: { name: string; pid: number }[] }).children;
  const victim = children().find(({ name }) => name === 'edge-2');
  process.kill(victim?.pid ?? 0, 'SIGKILL');
  await until('the others to answer everything', async () =>
    (await parallel(60, 6, () => once())).every((status) => status === 200),
  );
  await until('it to be back', async () => {
    await parallel(60, 6, () => once());
    return (
      children().some(({ name, pid }) => name === 'edge-2' && pid !== victim?.pid) &&
      (await requestsByProcess()).size === edges
    );
  });
});
