import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const fixtures = join(root, 'libs/testing/fixtures');
export const cars = join(root, 'examples/cars');
export const topology = process.env['MOORING_E2E_TOPOLOGY'] ?? 'default';
/**
 * Python environments are the same for every platform that the tests start, so they are built once for those that run one after the
 * other. Platforms that run at once must not share them: each tidies away what it does not use.
 */
const environments = join(tmpdir(), `mooring-e2e-environments-${process.env['VITEST_POOL_ID'] ?? '1'}`);

export interface CommandOutput {
  code: number;
  stdout: string;
  stderr: string;
}

export interface HttpAnswer {
  /** 0 when there was no answer; `body` then says why. */
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  ms: number;
}

export interface Platform {
  data: string;
  http: string;
  grpc: string;
  management: string;
  /** Runs `mooring <args>` against this platform. */
  mooring(...args: string[]): Promise<CommandOutput>;
  /** Like mooring, but fails unless it exits 0; parses the JSON it prints. */
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
  /** Writes `text` as a YAML file in a folder of its own and returns its path; `files` go beside it. */
  yaml(text: string, files?: Readonly<Record<string, string | Buffer>>): string;
  key(endpoint: string): Promise<string>;
  send(path: string, options?: SendOptions): Promise<HttpAnswer>;
  /** Starts it again after it was killed or stopped; ports may change. */
  up(): Promise<void>;
  down(): Promise<CommandOutput>;
  remove(): Promise<void>;
}

export interface SendOptions {
  method?: string;
  key?: string | undefined;
  headers?: Readonly<Record<string, string>>;
  body?: string | Buffer;
  timeoutMs?: number;
}

/** Runs a command to its end, at most `timeoutMs`. */
export function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs = 240_000,
): Promise<CommandOutput> {
  return new Promise((resolve) => {
    const child = spawn(program, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('close', (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? -1, stdout, stderr });
    });
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** One HTTP request over kept connections; never rejects. */
function httpSend(base: string, path: string, options: SendOptions = {}): Promise<HttpAnswer> {
  const startedAt = performance.now();
  const headers: Record<string, string | number> = { ...options.headers };
  if (options.key !== undefined) headers['authorization'] = `Bearer ${options.key}`;
  if (options.body !== undefined) headers['content-length'] = Buffer.byteLength(options.body);
  const method = options.method ?? (options.body === undefined ? 'GET' : 'POST');
  return new Promise((resolve) => {
    const failed = (error: Error): void =>
      resolve({ status: 0, headers: {}, body: Buffer.from(error.message), ms: performance.now() - startedAt });
    const call = request(`${base}${path}`, { method, agent, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers as Record<string, string>,
          body: Buffer.concat(chunks),
          ms: performance.now() - startedAt,
        }),
      );
    });
    call.setTimeout(options.timeoutMs ?? 60_000, () => call.destroy(new Error('no answer in time')));
    call.on('error', failed);
    call.end(options.body);
  });
}

/** Starts a real platform in a folder of its own, on free ports, in the topology under test; `flags` are more for `up`. */
export async function startPlatform(env: NodeJS.ProcessEnv = {}, flags: readonly string[] = []): Promise<Platform> {
  const data = mkdtempSync(join(tmpdir(), 'mooring-e2e-'));
  mkdirSync(environments, { recursive: true });
  symlinkSync(environments, join(data, 'environments'));
  const own = { MOORING_DATA: data, MOORING_URL: undefined, MOORING_TOKEN: undefined, ...env };
  let files = 0;
  const mooring = (...args: string[]): Promise<CommandOutput> =>
    run(process.execPath, [join(root, 'apps/cli/src/main.ts'), ...args], own);
  const platform: Platform = {
    data,
    http: '',
    grpc: '',
    management: '',
    mooring,
    json: async <T>(...args: string[]): Promise<T> => {
      const { code, stdout, stderr } = await mooring(...args, '-o', 'json');
      if (code !== 0) throw new Error(`mooring ${args.join(' ')} exited ${code}: ${stderr}${stdout}`);
      return (stdout.trim() === '' ? undefined : JSON.parse(stdout)) as T;
    },
    yaml: (text, beside = {}) => {
      const folder = join(data, 'yaml', String((files += 1)));
      mkdirSync(folder, { recursive: true });
      for (const [name, content] of Object.entries(beside)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), content);
      }
      writeFileSync(join(folder, 'file.yml'), text);
      return join(folder, 'file.yml');
    },
    key: async (endpoint) => {
      const keys = await platform.json<{ primaryKey: string }>('online-endpoint', 'get-credentials', '-n', endpoint);
      return keys.primaryKey;
    },
    send: (path, options) => httpSend(platform.http, path, options),
    up: async () => {
      const anyPort = ['--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0', '--management', '127.0.0.1:0'];
      const args = ['--data', data, ...anyPort, '--topology', topology, ...flags, '--detach'];
      const { code, stdout, stderr } = await mooring('up', ...args);
      const ready = /^ready http=(\S+) grpc=(\S+) management=(\S+)$/m.exec(stdout);
      if (code !== 0 || ready === null) throw new Error(`up exited ${code}: ${stdout}${stderr}\n${lastLog(data)}`);
      [platform.http, platform.grpc, platform.management] = ready.slice(1) as [string, string, string];
    },
    down: () => mooring('down', '--data', data),
    remove: async () => {
      await platform.down();
      rmSync(data, { recursive: true, force: true });
    },
  };
  await platform.up();
  return platform;
}

function lastLog(data: string): string {
  try {
    return readFileSync(join(data, 'logs/supervisor.log'), 'utf8').slice(-4_000);
  } catch {
    return '(no supervisor log)';
  }
}

/** Waits until `check` gives something other than undefined or false; fails with what it last saw. */
export async function until<T>(
  what: string,
  check: () => Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  while (Date.now() < end) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
      last = value;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`waited ${timeoutMs} ms for ${what}; last: ${String(last)}`);
}

/** `count` calls of `one`, at most `width` at a time. */
export async function parallel<T>(count: number, width: number, one: (index: number) => Promise<T>): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next; index < count; index = next) {
      next += 1;
      results[index] = await one(index);
    }
  };
  await Promise.all(Array.from({ length: width }, worker));
  return results;
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;
}

/** A line of figures that the test run prints, in one form for all. */
export function figure(text: string): void {
  process.stdout.write(`FIGURE ${text}\n`);
}

export const endpointYaml = (name: string): string => `name: ${name}\nauth_mode: key\n`;

const probes = [
  'liveness_probe: {initial_delay: 1, period: 1, timeout: 2, success_threshold: 1, failure_threshold: 5}',
  'readiness_probe: {initial_delay: 1, period: 1, timeout: 2, success_threshold: 1, failure_threshold: 20}',
].join('\n');

/** YAML of a deployment that serves an ONNX file without code; `more` is further YAML. */
export function onnxYaml(endpoint: string, name: string, model: string, more = ''): string {
  return [
    `name: ${name}`,
    `endpoint_name: ${endpoint}`,
    `model: {path: ${model}}`,
    'instance_type: Standard_DS2_v2',
    'instance_count: 1',
    probes,
    more.includes('request_settings')
      ? ''
      : 'request_settings: {request_timeout_ms: 20000, max_concurrent_requests_per_instance: 16}',
    more,
  ].join('\n');
}

/** YAML of a deployment of a Python scoring script that needs no packages. */
export function scriptYaml(endpoint: string, name: string, code: string, script: string, more = ''): string {
  return [
    `name: ${name}`,
    `endpoint_name: ${endpoint}`,
    `code_configuration: {code: ${code}, scoring_script: ${script}}`,
    'environment: {image: "mcr.microsoft.com/azureml/minimal:1"}',
    'instance_type: Standard_DS2_v2',
    'instance_count: 1',
    probes,
    more.includes('request_settings')
      ? ''
      : 'request_settings: {request_timeout_ms: 20000, max_concurrent_requests_per_instance: 4}',
    more,
  ].join('\n');
}

/** A Python with the given packages, built once a run by uv's pip resolver in a venv below the temp folder. */
export async function pythonWith(name: string, packages: readonly string[]): Promise<string> {
  const folder = join(tmpdir(), `mooring-e2e-python-${name}`);
  const python = join(folder, 'bin/python');
  const stamp = join(folder, 'packages.txt');
  const wanted = packages.join('\n');
  try {
    if (readFileSync(stamp, 'utf8') === wanted) return python;
  } catch {
    // Not built yet.
  }
  const made = await run('python3', ['-m', 'venv', '--clear', folder], {});
  if (made.code !== 0) throw new Error(made.stderr);
  const installed = await run(python, ['-m', 'pip', 'install', '--quiet', ...packages], {});
  if (installed.code !== 0) throw new Error(installed.stderr);
  writeFileSync(stamp, wanted);
  return python;
}
