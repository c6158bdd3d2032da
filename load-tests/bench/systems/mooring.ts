import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, until } from '../processes/child.ts';
import { inferRequest, oipBinary, oipJson, payloads, rowsJson, scriptNumbers } from '../payloads.ts';
import { deploymentYaml, useOf, type EndpointPlan, type Use } from './mooring-endpoints.ts';
import { putEndpoints } from './put-endpoints.ts';
import type { Context, Host, Row, Shot } from './system.ts';

const cli = fileURLToPath(new URL('../../../apps/cli/src/main.ts', import.meta.url));
const scripts = fileURLToPath(new URL('../scripts', import.meta.url));
const startMs = 120_000;
const commandMs = 180_000;
const stopMs = 120_000;

interface Address {
  host: string;
  port: number;
}

/** A platform as `mooring up` starts it, in a data folder of its own, with endpoints made by the CLI. */
export class MooringHost implements Host {
  readonly name: string;
  readonly data: string;
  readonly #arguments: readonly string[];
  readonly #context: Context;
  /** By the endpoint's name. */
  readonly #keys = new Map<string, string>();
  readonly #refused = new Set<string>();
  /** All endpoints. */
  readonly #made = new Set<string>();
  #up: Child | undefined;
  #ready: { http: Address; grpc: Address; management: Address } | undefined;

  /** `upArguments`: what `mooring up` is given beside folder and addresses. */
  constructor(context: Context, ...upArguments: readonly string[]) {
    this.name = ['mooring up', ...upArguments].join(' ');
    this.#arguments = upArguments;
    this.#context = context;
    this.data = mkdtempSync(join(context.temp, 'data-'));
  }

  async start(rows: readonly Row[]): Promise<void> {
    const free = '127.0.0.1:0';
    const args = ['up', '--data', this.data, '--http', free, '--grpc', free, '--management', free];
    this.#up = Child.program(this.name, process.execPath, [cli, ...args, ...this.#arguments], {
      ...this.#environment(),
      // All that a production platform has on: keys, metrics and access lines by default, one in a hundred traces.
      OTEL_EXPORTER_OTLP_ENDPOINT: this.#context.tracesUrl,
      OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
      OTEL_TRACES_SAMPLER_ARG: '0.01',
      MOORING_LOG_LEVEL: 'warn',
    });
    const up = this.#up;
    await until(
      async () => {
        if (up.isGone) throw this.#context.signal.reason ?? new Error(up.ended());
        return this.#readyLine(up.log);
      },
      startMs,
      this.#context.signal,
      () => `${this.name} was not ready in time; the last it wrote:\n${up.log}`,
    );
    const plans = new Map(rows.map((row) => [useOf(row).endpoint.name, useOf(row).endpoint]));
    for (const plan of plans.values()) await this.#deploy(plan);
  }

  pids(): number[] {
    return this.#up === undefined ? [] : [this.#up.pid];
  }

  /** Until the platform has so many endpoints; the further ones have no deployment. */
  async growTo(count: number): Promise<void> {
    const missing = Array.from({ length: Math.max(0, count - this.#made.size) }, (_, index) => this.#made.size + index);
    if (missing.length > 0) this.#context.say(`${this.name}: ${missing.length} more endpoints`);
    await putEndpoints(
      missing.map((index) => `more-${index}`),
      { ...this.#addresses().management, data: this.data, signal: this.#context.signal },
    );
    for (const index of missing) this.#made.add(`more-${index}`);
  }

  shot(row: Row): Shot | undefined {
    const use = useOf(row);
    if (this.#refused.has(use.endpoint.name)) return undefined;
    const { http, grpc } = this.#addresses();
    const headers = { Authorization: `Bearer ${this.#keys.get(use.endpoint.name) ?? ''}` };
    return shotOf(use, headers, use.surface === 'grpc' ? grpc : http);
  }

  async stop(): Promise<void> {
    await this.#up?.stop(stopMs);
  }

  #addresses(): { http: Address; grpc: Address; management: Address } {
    if (this.#ready === undefined) throw new Error(`${this.name} does not run`);
    return this.#ready;
  }

  #readyLine(log: string): boolean {
    const found = /^ready http=(\S+) grpc=(\S+) management=(\S+)$/m.exec(log);
    if (found === null) return false;
    const [http, grpc, management] = found.slice(1).map(addressOf) as [Address, Address, Address];
    this.#ready = { http, grpc, management };
    return true;
  }

  async #deploy(plan: EndpointPlan): Promise<void> {
    this.#context.say(`${this.name}: deploying ${plan.name}`);
    const folder = mkdtempSync(join(this.#context.temp, 'yaml-'));
    const endpoint = join(folder, 'endpoint.yml');
    const deployment = join(folder, 'deployment.yml');
    const modelFile = plan.model === undefined ? undefined : this.#context.modelFile(plan.model);
    writeFileSync(endpoint, `name: ${plan.name}\nauth_mode: key\n`);
    writeFileSync(deployment, deploymentYaml(plan, modelFile, scripts));
    await this.#mooring('online-endpoint', 'create', '-f', endpoint);
    this.#made.add(plan.name);
    try {
      await this.#mooring('online-deployment', 'create', '-f', deployment, '--all-traffic');
    } catch (error) {
      // An older build that does not know a setting yet: its row is left out, the others are worth measuring.
      if (!String(error).includes('mooring.')) throw error;
      this.#context.say(`${plan.name} is left out: ${String(error).split('\n')[0]}`);
      this.#refused.add(plan.name);
      return;
    }
    const keys = JSON.parse(await this.#mooring('online-endpoint', 'get-credentials', '-n', plan.name)) as {
      primaryKey: string;
    };
    this.#keys.set(plan.name, keys.primaryKey);
  }

  async #mooring(...args: string[]): Promise<string> {
    return runToEnd(
      `mooring ${args.join(' ')}`,
      [cli, ...args, '-o', 'json'],
      this.#environment(),
      this.#context.signal,
    );
  }

  /** A user's own settings must not lead the commands to another platform. */
  #environment(): NodeJS.ProcessEnv {
    const own = Object.keys(process.env).filter((name) => name.startsWith('MOORING_') || name.startsWith('OTEL_'));
    return {
      ...Object.fromEntries(own.map((name) => [name, undefined])),
      MOORING_DATA: this.data,
      ...this.#context.environment,
    };
  }
}

async function runToEnd(what: string, args: string[], env: NodeJS.ProcessEnv, signal: AbortSignal): Promise<string> {
  const child = Child.program(what, process.execPath, args, env);
  let stdout = '';
  child.process.stdout?.on('data', (text: Buffer) => (stdout += text.toString()));
  const closed = new Promise<void>((resolve) => child.process.once('close', () => resolve()));
  let isClosed = false;
  void closed.then(() => (isClosed = true));
  try {
    await until(
      async () => isClosed,
      commandMs,
      signal,
      () => `${what} did not end in time`,
    );
  } finally {
    await child.stop(5_000);
  }
  if (child.process.exitCode !== 0) throw new Error(child.ended());
  return stdout;
}

function addressOf(text: string): Address {
  const { hostname, port } = new URL(text.includes('://') ? text : `http://${text}`);
  return { host: hostname, port: Number(port) };
}

function shotOf({ endpoint, surface }: Use, headers: Record<string, string>, address: Address): Shot {
  const { name, model } = endpoint;
  const json = { ...headers, 'Content-Type': 'application/json' };
  if (model === undefined) {
    const body = rowsJson({ shape: [scriptNumbers.length], data: scriptNumbers });
    return { protocol: 'http', ...address, path: `/endpoints/${name}/score`, headers: json, body, reading: 'sum' };
  }
  const payload = payloads[model];
  const infer = `/v2/models/${name}/infer`;
  switch (surface) {
    case 'oip':
      return { protocol: 'http', ...address, path: infer, headers: json, body: oipJson(payload), reading: 'oip' };
    case 'score': {
      const path = `/endpoints/${name}/score`;
      return { protocol: 'http', ...address, path, headers: json, body: rowsJson(payload), reading: 'rows' };
    }
    case 'oip-binary': {
      const { body, jsonBytes } = oipBinary(payload);
      const binary = {
        ...headers,
        'Content-Type': 'application/octet-stream',
        'Inference-Header-Content-Length': `${jsonBytes}`,
      };
      return { protocol: 'http', ...address, path: infer, headers: binary, body, reading: 'oip-binary' };
    }
    case 'grpc': {
      const path = '/inference.GRPCInferenceService/ModelInfer';
      return {
        protocol: 'grpc',
        ...address,
        path,
        headers: lowerCase(headers),
        body: inferRequest(name, payload),
        reading: 'grpc',
      };
    }
  }
}

/** Metadata of gRPC. */
function lowerCase(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
