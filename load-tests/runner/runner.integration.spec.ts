import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { eventually, tempDir } from '@mooring/testing';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { startInferenceServer, type InferenceServer } from './testing/inference-server.ts';
import { runScript, startScript } from './testing/run-script.ts';

const servers: InferenceServer[] = [];

function newFolder(): string {
  const folder = tempDir();
  onTestFinished(() => folder.remove());
  return folder.path;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

describe('what a script sees', () => {
  it('gives each virtual user its own modules, its number and its count of iterations', async () => {
    const result = await runScript(
      newFolder(),
      `
      import { check } from 'k6';
      import exec from 'k6/execution';
      export const options = { scenarios: { main: { executor: 'per-vu-iterations', vus: 3, iterations: 4 } } };
      const bornAs: number = __VU;
      let runs = 0;
      export default async function (): Promise<void> {
        const before = __ITER;
        await Promise.resolve();
        check(null, {
          'module variables are the own ones': () => runs++ === __ITER,
          'the number stays': () => bornAs === __VU && exec.vu.idInTest === __VU && __VU >= 1 && __VU <= 3,
          'the iteration is known after an await': () => before === __ITER && exec.scenario.name === 'main',
        });
      }
      `,
    );
    expect(result.stderr).not.toContain('ERROR');
    expect(result.exitCode).toBe(0);
    expect(result.checks).toEqual({
      'module variables are the own ones': { passes: 12, fails: 0 },
      'the number stays': { passes: 12, fails: 0 },
      'the iteration is known after an await': { passes: 12, fails: 0 },
    });
    expect(result.metrics['iterations']?.['count']).toBe(12);
  });

  it('hands the data of setup() to iterations, teardown() and handleSummary(), each a copy', async () => {
    const folder = newFolder();
    const result = await runScript(
      folder,
      `
      import { check } from 'k6';
      interface Data { list: number[] }
      export const options = { vus: 2, iterations: 4 };
      export function setup(): Data { return { list: [1] }; }
      export default function (data: Data): void {
        check(data, { 'is a fresh copy': ({ list }) => list.length === 1 });
        data.list.push(2);
      }
      export function teardown(data: Data): void { console.log('teardown saw', JSON.stringify(data)); }
      export function handleSummary(data: { setup_data: Data; metrics: Record<string, { values: { count: number } }> }) {
        return { stdout: 'iterations: ' + data.metrics['iterations'].values.count, 'own.json': JSON.stringify(data.setup_data) };
      }
      `,
    );
    expect(result.exitCode).toBe(0);
    expect(result.checks['is a fresh copy']).toEqual({ passes: 4, fails: 0 });
    expect(result.stderr).toContain('teardown saw {"list":[1]}');
    expect(result.stdout).toBe('iterations: 4');
    expect(readFileSync(join(folder, 'own.json'), 'utf8')).toBe('{"list":[1]}');
  });

  it('has open(), SharedArray, groups, own metrics with tags, scenario env and exported functions', async () => {
    const folder = newFolder();
    writeFileSync(join(folder, 'rows.json'), '[[1], [2]]');
    const result = await runScript(
      folder,
      `
      import { check, group } from 'k6';
      import { SharedArray } from 'k6/data';
      import { Counter } from 'k6/metrics';
      const rows = new SharedArray('rows', () => JSON.parse(open('rows.json')));
      const bytes = open('./rows.json', 'b');
      const asked = new Counter('asked');
      const one = { executor: 'shared-iterations', iterations: 2 };
      export const options = {
        scenarios: { a: { ...one, exec: 'ask', env: { WHO: 'a' } }, b: { ...one, exec: 'ask', env: { WHO: 'b' }, tags: { kind: 'x' } } },
        thresholds: { 'asked{who:a}': ['count==2'], 'asked{kind:x}': ['count==2'], asked: ['count==4'] },
      };
      export function ask(): void {
        asked.add(1, { who: __ENV.WHO ?? '' });
        group('outer', () => check(rows, { 'rows are there': (all) => all[1][0] === 2 && bytes.byteLength === 10 }));
      }
      `,
    );
    expect(result.stderr).not.toContain('ERROR');
    expect(result.exitCode).toBe(0);
    expect(result.stdout).toContain('█ outer');
    expect(result.metrics['group_duration']?.['avg']).toBeGreaterThan(0);
  });

  it('writes every sample as a line of JSON', async () => {
    const folder = newFolder();
    const script = `import { check } from 'k6';\nexport default () => check(1, { 'is one': (one) => one === 1 });\n`;
    const result = await runScript(folder, script, [
      '--out',
      'json=samples.json',
      '--tag',
      'run=7',
      '--iterations',
      '3',
    ]);
    expect(result.exitCode).toBe(0);
    const lines = readFileSync(join(folder, 'samples.json'), 'utf8').trim().split('\n');
    const samples = lines.map((line) => JSON.parse(line) as { type: string; metric: string; data: object });
    const checks = samples.filter(({ metric, type }) => metric === 'checks' && type === 'Point');
    expect(checks).toHaveLength(3);
    expect(checks[0]?.data).toMatchObject({ value: 1, tags: { check: 'is one', run: '7', scenario: 'default' } });
    expect(samples.find(({ metric, type }) => metric === 'checks' && type === 'Metric')).toBeDefined();
  });
});

describe('requests', () => {
  it('keeps one connection a user, and has what k6 has in an answer', async () => {
    const server = await startInferenceServer();
    servers.push(server);
    const result = await runScript(
      newFolder(),
      `
      import { check } from 'k6';
      import http from 'k6/http';
      export const options = { scenarios: { main: { executor: 'per-vu-iterations', vus: 2, iterations: 5 } } };
      export default async function (): Promise<void> {
        const params = { responseCallback: http.expectedStatuses(401) };
        const answer = await http.asyncRequest('POST', __ENV.URL + '/x', '{}', params);
        check(answer, {
          'status': (r) => r.status === 401 && r.error === '' && r.error_code === 1401,
          'headers': (r) => r.headers['Content-Type'] === 'application/json',
          'json': (r) => r.json('error.reason') === 'KEY_WRONG',
          'timings': (r) => r.timings.duration > 0 && r.timings.waiting >= 0,
          'remote': (r) => r.remote_ip === '127.0.0.1' && r.proto === 'HTTP/1.1',
        });
      }
      `,
      ['-e', `URL=${server.url}`],
    );
    expect(result.exitCode).toBe(0);
    expect(result.metrics['checks']).toMatchObject({ fails: 0, passes: 50 });
    expect(result.metrics['http_req_failed']).toMatchObject({ rate: 0, fails: 10 });
    expect(result.metrics['data_sent']?.['count']).toBeGreaterThan(500);
    expect(server.connections.http).toBe(2);
  });

  it('counts refused connections, late answers and broken ones as failed, and goes on', async () => {
    const silent = createServer((request, response) => {
      if (request.url === '/broken')
        response.writeHead(200, { 'content-length': '10' }).end('half', () => request.destroy());
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const result = await runScript(
      newFolder(),
      `
      import { check } from 'k6';
      import http from 'k6/http';
      export default async function (): Promise<void> {
        const refused = await http.asyncRequest('GET', 'http://127.0.0.1:1/');
        const late = await http.asyncRequest('GET', __ENV.URL + '/late', null, { timeout: '100ms' });
        const broken = await http.asyncRequest('GET', __ENV.URL + '/broken', null, { timeout: '5s' });
        check(null, {
          'refused': () => refused.status === 0 && refused.error_code === 1212,
          'late': () => late.status === 0 && late.error_code === 1050,
          'broken': () => broken.status === 0 && broken.error !== '',
        });
      }
      `,
      ['-e', `URL=${url}`],
    );
    silent.closeAllConnections();
    silent.close();
    expect(result.metrics['checks']).toMatchObject({ fails: 0, passes: 3 });
    expect(result.metrics['http_req_failed']).toMatchObject({ rate: 1, passes: 3 });
  });
});

describe('how a run ends', () => {
  const endless = `
    import { setTimeout } from 'k6/timers';
    export const options = { vus: 2, duration: '60s' };
    export default async function (): Promise<void> { await new Promise((resolve) => setTimeout(resolve, 60_000)); }
    `;

  it('on an interrupt it ends its iterations and still sums up, with exit status 105', async () => {
    const { child, finished } = startScript(
      newFolder(),
      `${endless}\nexport function teardown() { console.log('tidied up'); }`,
    );
    let said = '';
    child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString('utf8')));
    await eventually(() => said.includes('2 looping VUs'));
    child.kill('SIGINT');
    const result = await finished;
    expect(result.exitCode).toBe(105);
    expect(result.stderr).toContain('tidied up');
    expect(result.stdout).toContain('TOTAL RESULTS');
  });

  it('on exec.test.abort() it ends at once, with exit status 108', async () => {
    const script = `
      import exec from 'k6/execution';
      export const options = { vus: 1, duration: '60s' };
      export default function (): void { exec.test.abort('seen enough'); }
      `;
    const result = await runScript(newFolder(), script);
    expect(result.exitCode).toBe(108);
    expect(result.stderr).toContain('seen enough');
  });

  it('a failing iteration is told, counted and survived', async () => {
    const script = `
      export const options = { vus: 1, iterations: 30 };
      export default function (): void { throw new Error('no luck'); }
      `;
    const result = await runScript(newFolder(), script);
    expect(result.exitCode).toBe(0);
    expect(result.metrics['iterations']?.['count']).toBe(30);
    expect(result.stderr.match(/Error: no luck/g)).toHaveLength(20);
    expect(result.stderr).toContain('10 more iterations failed (30 in all)');
  });

  it('survives a script that awaits nothing: what fails on its own is told', async () => {
    const script = `
      import http from 'k6/http';
      export const options = { vus: 1, iterations: 1 };
      export default async function (): Promise<void> {
        void http.asyncRequest('GET', 'http://127.0.0.1:1/').then(() => { throw new Error('nobody waits'); });
        await http.asyncRequest('GET', 'http://127.0.0.1:1/');
        await http.asyncRequest('GET', 'http://127.0.0.1:1/');
      }
      `;
    const result = await runScript(newFolder(), script);
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toContain('nobody waits');
  });

  it.each([
    [
      "import fs from 'node:fs';\nexport default () => fs;",
      107,
      "'node:fs' cannot be imported by a load test: k6 has neither",
    ],
    ["import x from 'https://jslib.k6.io/x.js';\nexport default x;", 107, 'keep a copy beside the script'],
    ["import browser from 'k6/browser';\nexport default browser;", 107, "has no 'k6/browser'; it has k6, k6/data"],
    ["import http from 'k6/http';\nhttp.asyncRequest('GET', 'http://x');\nexport default () => 1;", 107, 'top level'],
    ['export const options = { vus: -1 };\nexport default () => 1;', 104, 'options.vus'],
    ["export const options = { thresholds: { nope: ['rate>1'] } };\nexport default () => 1;", 104, "no metric 'nope'"],
    ['export const options = {\n};\nexport const other = () => 1;', 104, "exports no function 'default'"],
    ["export function setup() {\n throw new Error('cannot'); }\nexport default () => 1;", 107, 'setup() failed'],
  ])('refuses %j with exit status %d', async (script, exitCode, message) => {
    const result = await runScript(newFolder(), script);
    expect(result.stderr).toContain(message);
    expect(result.exitCode).toBe(exitCode);
  });

  it('names http.asyncRequest when a script blocks, and sleep() what to do instead', async () => {
    const script = `
      import { sleep } from 'k6';
      import http from 'k6/http';
      export const options = { vus: 1, iterations: 2 };
      export default function (): void { if (__ITER === 0) http.get('http://127.0.0.1:1'); else sleep(1); }
      `;
    const { stderr } = await runScript(newFolder(), script);
    expect(stderr).toContain("await http.asyncRequest('GET', url, body, params)");
    expect(stderr).toContain("setTimeout of 'k6/timers'");
  });
});
