import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { tempDir } from '@mooring/testing';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import { startInferenceServer, testKey, type InferenceServer, type ServerOptions } from './testing/inference-server.ts';
import { runScript, type Finished } from './testing/run-script.ts';

const loadTests = join(import.meta.dirname, '..');
const servers: InferenceServer[] = [];

function newFolder(): string {
  const folder = tempDir();
  onTestFinished(() => folder.remove());
  return folder.path;
}

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
});

async function start(options?: ServerOptions): Promise<InferenceServer> {
  const server = await startInferenceServer(options);
  servers.push(server);
  return server;
}

function run(server: InferenceServer, name: string, settings: Record<string, string | number>): Promise<Finished> {
  const all = { BASE_URL: server.url, GRPC_TARGET: server.grpcTarget, ENDPOINT: 'iris', KEY: testKey, ...settings };
  const environment = Object.entries(all).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  return runScript(newFolder(), join(loadTests, 'scenarios', `${name}.ts`), environment);
}

describe('the scenarios against a server over HTTP and gRPC', () => {
  it('smoke passes on every surface, with the key, the deadline and the tensors sent along', async () => {
    const server = await start();
    const result = await run(server, 'smoke', { SURFACE: 'score,oip,grpc', DURATION: '1s', DEPLOYMENT: 'blue' });
    expect(result.stderr).not.toContain('ERROR');
    expect(result.exitCode).toBe(0);
    expect(result.metrics['answered']?.['rate']).toBe(1);
    expect(result.metrics['grpc_req_duration']?.['count']).toBeGreaterThan(10);
    expect(result.metrics['http_req_duration']?.['count']).toBeGreaterThan(10);
    expect(server.seen.get('/endpoints/iris/score')).toMatchObject({
      headers: { 'azureml-model-deployment': 'blue', 'x-request-timeout-ms': '5000' },
      body: { data: [[5.1, 3.5, 1.4, 0.2]] },
    });
    expect(server.seen.get('/v2/models/iris/infer')).toMatchObject({ body: { inputs: [{ name: 'input' }] } });
    const values = [5.1, 3.5, 1.4, 0.2].map((value) => Math.fround(value));
    expect(server.seen.get('ModelInfer')).toMatchObject({
      modelName: 'iris',
      modelVersion: 'blue',
      inputs: [{ name: 'input', datatype: 'FP32', shape: [1, 4], contents: { fp32Contents: values } }],
    });
  });

  it('smoke fails with exit status 99 when the key is wrong', async () => {
    const result = await run(await start(), 'smoke', { KEY: 'wrong', DURATION: '1s', SURFACE: 'oip,grpc' });
    expect(result.exitCode).toBe(99);
    expect(result.metrics['checks']?.thresholds).toEqual({ 'rate==1': true });
    expect(result.metrics['answered']?.['rate']).toBe(0);
    expect(result.stderr).toContain('failed, status 401: {"error":{"reason":"KEY_WRONG"}}');
    expect(result.stderr).toContain('failed, status grpc 16: KEY_WRONG');
  });

  it('smoke says so when nobody is there', async () => {
    const server = await start();
    await server.stop();
    servers.length = 0;
    const result = await run(server, 'smoke', { DURATION: '1s', SURFACE: 'score,grpc', DEADLINE_MS: 200 });
    expect(result.exitCode).toBe(99);
    expect(result.metrics['failed']?.['count']).toBeGreaterThan(2);
    expect(result.stderr).toContain('ECONNREFUSED');
    expect(result.stderr).toContain(`no connection to ${server.grpcTarget} in 200 ms`);
  });

  it('load keeps its rate on every surface and drops nothing', async () => {
    const result = await run(await start({ serviceMs: 5 }), 'load', {
      SURFACE: 'score,oip,grpc',
      RATE: 40,
      DURATION: '2s',
      P99_MS: 2_000,
    });
    expect(result.exitCode).toBe(0);
    expect(result.metrics['iterations']?.['count']).toBe(3 * 80);
    expect(result.metrics['dropped_iterations']?.['count']).toBe(0);
    expect(result.metrics['answered_duration']?.['med']).toBeGreaterThanOrEqual(4);
  });

  it('load tells a server that cannot keep up: late answers and dropped iterations cross thresholds', async () => {
    const settings = { RATE: 50, DURATION: '2s', DEADLINE_MS: 100, P99_MS: 200 };
    const result = await run(await start({ serviceMs: 400 }), 'load', settings);
    expect(result.exitCode).toBe(99);
    expect(result.metrics['dropped_iterations']?.['count']).toBeGreaterThan(20);
    expect(result.metrics['answered_duration']?.thresholds).toEqual({ 'p(99)<200': true });
  });

  it('soak runs the mixed load', async () => {
    const settings = { SURFACE: 'score,grpc', RATE: 20, DURATION: '1s', P99_MS: 2_000 };
    const result = await run(await start(), 'soak', settings);
    expect(result.exitCode).toBe(0);
    expect(result.metrics['answered']).toMatchObject({ passes: 40, fails: 0 });
  });

  const spike = { RATE: 10, FACTOR: 20, DURATION: '1s', CALM: '1s', GRACE: '1s', SURFACE: 'score,grpc' };
  // Twenty at once for 50 ms each: 400 a second for both surfaces are well above it, 20 below.
  const small = { serviceMs: 100, inFlightMax: 20 };

  it('spike accepts refusals that say when to retry and why, and wants the endpoint back to normal', async () => {
    const result = await run(await start(small), 'spike', spike);
    expect(result.stderr).not.toContain('ERROR');
    expect(result.exitCode).toBe(0);
    expect(result.metrics['refused']?.['count']).toBeGreaterThan(20);
    expect(result.metrics['answered{phase:recovery}']).toMatchObject({ rate: 1, passes: 20 });
    expect(result.checks['a refusal gives its reason']?.passes).toBe(result.metrics['refused']?.['count']);
  });

  it('spike fails on refusals that say nothing', async () => {
    const result = await run(await start({ ...small, isRude: true }), 'spike', spike);
    expect(result.exitCode).toBe(99);
    expect(result.checks['a refusal says when to retry']?.passes).toBe(0);
  });

  it('breakpoint ends where the endpoint stops keeping up, and says at which rate', async () => {
    const settings = { RATE: 50, MAX_RATE: 400, DURATION: '30s', DEADLINE_MS: 1_000, P99_MS: 5_000 };
    const result = await run(await start({ serviceMs: 100, inFlightMax: 10 }), 'breakpoint', settings);
    expect(result.exitCode).toBe(99);
    expect(result.stderr).toContain('threshold crossed: answered rate>0.99');
    // Ten at once for 100 ms each are at most 100 a second.
    expect(result.metrics['offered_rate']?.['value']).toBeGreaterThan(90);
    expect(result.metrics['offered_rate']?.['value']).toBeLessThan(250);
  });

  it.each(['load', 'soak', 'spike', 'breakpoint'])('%s runs its default function for --iterations', async (name) => {
    const server = await start();
    const target = ['-e', `BASE_URL=${server.url}`, '-e', 'ENDPOINT=iris', '-e', `KEY=${testKey}`];
    const script = join(loadTests, 'scenarios', `${name}.ts`);
    const result = await runScript(newFolder(), script, [...target, '--iterations', '3', '--no-thresholds']);
    expect(result.stderr).not.toContain('ERROR');
    expect(result.exitCode).toBe(0);
    expect(result.metrics['iterations']?.['count']).toBe(3);
  });

  it('the scripts need no types but those of k6, so that no Node API slips in', async () => {
    const tsc = join(loadTests, '..', 'node_modules', '.bin', 'tsc');
    await expect(promisify(execFile)(tsc, ['-p', loadTests])).resolves.toMatchObject({ stdout: '' });
  });
});
