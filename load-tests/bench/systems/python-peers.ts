import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inferRequest, oipJson, payloads, rowsJson, scriptNumbers, type ModelName } from '../payloads.ts';
import { Child, until } from '../processes/child.ts';
import { folderOf, type PeerName } from './peer-install.ts';
import type { Context, Host, Row, Shot } from './system.ts';

const peers = fileURLToPath(new URL('../peers', import.meta.url));
const scripts = fileURLToPath(new URL('../scripts', import.meta.url));
const startMs = 90_000;
const stopMs = 8_000;
const host = '127.0.0.1';

/** One server of a peer: how it is started and when it is ready. */
interface ServerPlan {
  args: string[];
  env: Record<string, string>;
  port: number;
  /** Path that answers 200 when it is ready. */
  ready: string;
}

/** Whether what a row asks for is a script or one of the models. */
function modelOf({ workload }: Row): ModelName | undefined {
  if (workload.startsWith('script')) return undefined;
  return workload.startsWith('cnn') || workload === 'overload' ? 'cnn' : 'iris';
}

/** Servers in Python that live in a venv of their own. */
abstract class PythonHost implements Host {
  readonly name: PeerName;
  protected readonly context: Context;
  protected readonly folder: string;
  readonly #children: Child[] = [];

  constructor(name: PeerName, context: Context) {
    this.name = name;
    this.context = context;
    this.folder = join(context.temp, name);
    mkdirSync(this.folder);
  }

  protected abstract plans(models: readonly (ModelName | 'sum')[]): Promise<ServerPlan[]>;
  abstract shot(row: Row): Shot | undefined;

  async start(rows: readonly Row[]): Promise<void> {
    const plans = await this.plans([...new Set(rows.map((row) => modelOf(row) ?? 'sum'))]);
    const bin = join(folderOf(this.context, this.name), 'bin');
    for (const { args, env, port, ready } of plans) {
      const [program = '', ...rest] = args;
      const own = {
        ...this.context.environment,
        PATH: `${bin}:${process.env['PATH'] ?? ''}`,
        PYTHONPATH: peers,
        PYTHONDONTWRITEBYTECODE: '1',
        OMP_NUM_THREADS: '1',
        OPENBLAS_NUM_THREADS: '1',
      };
      const child = Child.program(this.name, join(bin, program), rest, { ...own, ...env }, this.folder);
      this.#children.push(child);
      await until(
        async () => {
          if (child.isGone) return true;
          return (await fetch(`http://${host}:${port}${ready}`, { signal: AbortSignal.timeout(2_000) })).ok;
        },
        startMs,
        this.context.signal,
        () => `${this.name} was not ready in time; the last it wrote:\n${child.log}`,
      );
      if (child.isGone) throw new Error(child.ended());
    }
  }

  pids(): number[] {
    return this.#children.map(({ pid }) => pid);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#children.map((child) => child.stop(stopMs)));
  }
}

/** MLServer in one process, which is its fastest for small models. */
export class MlserverHost extends PythonHost {
  #http = 0;
  #grpc = 0;

  constructor(context: Context) {
    super('mlserver', context);
  }

  protected async plans(models: readonly (ModelName | 'sum')[]): Promise<ServerPlan[]> {
    const [http = 0, grpc = 0, metrics = 0] = await freePorts(3);
    this.#http = http;
    this.#grpc = grpc;
    const settings = {
      host,
      http_port: http,
      grpc_port: grpc,
      metrics_port: metrics,
      parallel_workers: 0,
      debug: false,
    };
    writeFileSync(join(this.folder, 'settings.json'), JSON.stringify(settings));
    for (const name of models) {
      const own =
        name === 'sum'
          ? { implementation: 'mlserver_models.Sum' }
          : { implementation: 'mlserver_models.Onnx', parameters: { uri: this.context.modelFile(name) } };
      mkdirSync(join(this.folder, name));
      writeFileSync(join(this.folder, name, 'model-settings.json'), JSON.stringify({ name, ...own }));
    }
    return [{ args: ['mlserver', 'start', this.folder], env: {}, port: http, ready: '/v2/health/ready' }];
  }

  shot(row: Row): Shot {
    const model = modelOf(row);
    if (row.workload === 'iris-grpc') {
      const path = '/inference.GRPCInferenceService/ModelInfer';
      const body = inferRequest('iris', payloads.iris);
      return { protocol: 'grpc', host, port: this.#grpc, path, headers: {}, body, reading: 'grpc' };
    }
    const at = { protocol: 'http', host, port: this.#http, headers: { 'Content-Type': 'application/json' } } as const;
    const path = `/v2/models/${model ?? 'sum'}/infer`;
    if (model !== undefined) return { ...at, path, body: oipJson(payloads[model]), reading: 'oip' };
    const numbers = { input: 'data', shape: [scriptNumbers.length], data: scriptNumbers, output: 'sum' };
    return { ...at, path, body: oipJson(numbers), reading: 'sum' };
  }
}

/** azureml-inference-server-http with two workers; one server for each script, as a deployment has. */
export class AzuremlHost extends PythonHost {
  readonly #ports = new Map<ModelName | 'sum', number>();

  constructor(context: Context) {
    super('azureml', context);
  }

  protected async plans(models: readonly (ModelName | 'sum')[]): Promise<ServerPlan[]> {
    const ports = await freePorts(models.length);
    return models.map((model, index) => {
      const port = ports[index] ?? 0;
      this.#ports.set(model, port);
      const script = model === 'sum' ? join(scripts, 'sum.py') : join(peers, 'azureml_onnx.py');
      const modelDir = join(this.folder, model);
      mkdirSync(modelDir);
      if (model !== 'sum') copyFileSync(this.context.modelFile(model), join(modelDir, 'model.onnx'));
      const server = ['azmlinfsrv', '--entry_script', script, '--port', String(port), '--health_port', String(port)];
      const env = { AZUREML_MODEL_DIR: modelDir, AML_APP_INSIGHTS_ENABLED: 'false' };
      return { args: [...server, '--worker_count', '2'], env, port, ready: '/' };
    });
  }

  shot(row: Row): Shot {
    const model = modelOf(row);
    return rowsShot(this.#ports.get(model ?? 'sum') ?? 0, '/score', model);
  }
}

/** FastAPI before ONNX Runtime, two uvicorn workers. */
export class FastapiHost extends PythonHost {
  #port = 0;

  constructor(context: Context) {
    super('fastapi', context);
  }

  protected async plans(models: readonly (ModelName | 'sum')[]): Promise<ServerPlan[]> {
    const [port = 0] = await freePorts(1);
    this.#port = port;
    for (const model of models) {
      if (model !== 'sum') copyFileSync(this.context.modelFile(model), join(this.folder, `${model}.onnx`));
    }
    const server = ['uvicorn', 'fastapi_app:app', '--app-dir', peers, '--host', host, '--port', String(port)];
    const args = [...server, '--workers', '2', '--no-access-log', '--log-level', 'warning'];
    return [{ args, env: { BENCH_MODELS: this.folder }, port, ready: '/ready' }];
  }

  shot(row: Row): Shot {
    const model = modelOf(row);
    return rowsShot(this.#port, `/${model ?? 'sum'}`, model);
  }
}

function rowsShot(port: number, path: string, model: ModelName | undefined): Shot {
  const at = { protocol: 'http', host, port, path, headers: { 'Content-Type': 'application/json' } } as const;
  return model === undefined
    ? { ...at, body: rowsJson({ shape: [scriptNumbers.length], data: scriptNumbers }), reading: 'sum' }
    : { ...at, body: rowsJson(payloads[model]), reading: 'rows' };
}

/** Ports that were free a moment ago; these servers cannot take port 0 and say which it became. */
async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((one) => new Promise<void>((resolve) => one.listen(0, host, resolve))));
  const ports = servers.map((one) => (one.address() as AddressInfo).port);
  await Promise.all(servers.map((one) => new Promise((resolve) => one.close(resolve))));
  return ports;
}
