import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { dataFolder, type DataFolder } from '@mooring/config';
import { AuthServiceClient } from '@mooring/contracts/auth';
import { ControllerServiceClient, type PrepareBatchRequest } from '@mooring/contracts/controller';
import { GRPCInferenceServiceClient } from '@mooring/contracts/inference';
import { RegistryServiceClient } from '@mooring/contracts/registry';
import type {
  BatchEndpointRecord,
  BatchLaunch,
  CodeVersionSpec,
  InstanceRecord,
  ModelVersionSpec,
  ResourceKind,
  RoutingRecord,
  SpecByKind,
  Stored,
} from '@mooring/domain';
import { kvKey } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Nats } from '@mooring/messaging';
import { createClient } from '@mooring/rpc';
import { eventually, fixture, startTestNats, tempDir, type TestNats } from '@mooring/testing';
import { startService, type ServiceProcess } from './service-process.ts';

export interface Answer {
  /** gRPC status; 0 = answered. */
  code: number;
  details: string;
}

/** Real NATS, auth, registry, controller and router, each in a process of its own, on a data folder of its own. */
export interface TestGround {
  folder: DataFolder;
  nats: TestNats;
  store: Nats;
  controller: ServiceProcess;
  registry: ServiceProcess;
  auth: ServiceProcess;
  startAuth(): Promise<void>;
  startController(): Promise<void>;
  startRegistry(): Promise<void>;
  put<K extends ResourceKind>(kind: K, key: string, spec: SpecByKind[K]): Promise<Stored<K>>;
  get<K extends ResourceKind>(kind: K, key: string): Promise<Stored<K> | undefined>;
  remove(kind: ResourceKind, key: string): Promise<void>;
  /** Waits until the operation of a resource has ended, and resolves with the resource. */
  settled<K extends ResourceKind>(kind: K, key: string): Promise<Stored<K>>;
  gone(kind: ResourceKind, key: string): Promise<void>;
  /** Registers a model whose file is copied into the artifact store. */
  addModel(key: string, path: string): Promise<void>;
  /** Registers a folder with this one script. */
  addCode(key: string, path: string): Promise<void>;
  routing(endpoint: string): Promise<RoutingRecord | undefined>;
  instances(endpoint: string, deployment?: string): Promise<InstanceRecord[]>;
  logs(endpoint: string, deployment: string, container?: string): Promise<string>;
  batchEndpoint(endpoint: string): Promise<BatchEndpointRecord | undefined>;
  prepareBatch(request: Partial<PrepareBatchRequest>): Promise<BatchLaunch>;
  /** The keys that auth has for an endpoint; rejects with `not_found`. */
  keys(endpoint: string): Promise<{ primaryKey: string; secondaryKey: string }>;
  /** One iris request through the router. */
  score(endpoint: string, deployment?: string): Promise<Answer>;
  /** Sends requests, a few at a time, while `work` runs; resolves with those that were not answered. */
  scoreWhile(endpoint: string, work: () => Promise<void>): Promise<{ sent: number; failed: Answer[] }>;
  controllerLog(): string;
  stop(): Promise<void>;
}

export const irisModel = fixture('iris-onnx/model.onnx');
const settleMs = 60_000;

export async function startTestGround(settings: Readonly<Record<string, string>> = {}): Promise<TestGround> {
  const nats = await startTestNats();
  const data = tempDir('c-');
  const folder = dataFolder(data.path);
  mkdirSync(folder.logs, { recursive: true });
  const environment = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    ...nats.environment,
    MOORING_NATS_DEADLINE_MS: '1500',
    MOORING_DATA: data.path,
    MOORING_ROUTER_GRPC: '127.0.0.1:0',
    MOORING_CONTROLLER_NOTICE_MS: '300',
    MOORING_CONTROLLER_ORPHAN_TIMEOUT_MS: '20000',
    ...settings,
  };
  const started: ServiceProcess[] = [];
  const start = async (name: string): Promise<ServiceProcess> => {
    const service = await startService(name, environment, join(folder.logs, `${name}.log`));
    started.push(service);
    return service;
  };
  const end = async (): Promise<void> => {
    for (const service of started.toReversed()) await service.stop();
    await nats.stop();
    data.remove();
  };
  let services: { auth: ServiceProcess; registry: ServiceProcess; controller: ServiceProcess; router: ServiceProcess };
  try {
    services = {
      auth: await start('auth'),
      registry: await start('registry'),
      controller: await start('controller'),
      router: await start('router'),
    };
  } catch (error) {
    await end();
    throw error;
  }
  const { auth, registry, controller, router } = services;
  const store = await nats.connect();
  const clients = openClients(folder, router.facts['grpc'] ?? '');
  const score = createScore(clients);
  const ground: TestGround = {
    folder,
    nats,
    store,
    controller,
    registry,
    auth,
    startAuth: async () => {
      ground.auth = await start('auth');
    },
    startController: async () => {
      ground.controller = await start('controller');
    },
    startRegistry: async () => {
      ground.registry = await start('registry');
    },
    ...resourceCalls(clients, folder),
    routing: async (endpoint) => {
      const bucket = await store.bucket<RoutingRecord>('mooring_routing');
      return (await bucket.get(kvKey(endpoint)))?.value;
    },
    instances: async (endpoint, deployment = '') => {
      const { instanceJson } = await clients.controller.call('listInstances', { endpoint, deployment });
      return instanceJson.map((text) => JSON.parse(text) as InstanceRecord);
    },
    logs: async (endpoint, deployment, container = '') =>
      (await clients.controller.call('getLogs', { endpoint, deployment, tail: 0, container })).content,
    batchEndpoint: async (endpoint) => {
      const bucket = await store.bucket<BatchEndpointRecord>('mooring_batch_endpoints');
      return (await bucket.get(kvKey(endpoint)))?.value;
    },
    prepareBatch: async (request) => {
      const none = { endpoint: '', deployment: '', model: '', code: '', scoringScript: '', environment: '', step: '' };
      const { launchJson } = await clients.controller.call(
        'prepareBatch',
        { ...none, ...request },
        { deadlineMs: 60_000 },
      );
      return JSON.parse(launchJson) as BatchLaunch;
    },
    keys: (endpoint) => clients.auth.call('listEndpointKeys', { endpoint }),
    score,
    scoreWhile: (endpoint, work) => scoreWhile(() => score(endpoint), work),
    controllerLog: () => readFileSync(join(folder.logs, 'controller.log'), 'utf8'),
    stop: async () => {
      clients.close();
      await end();
    },
  };
  return ground;
}

function openClients(folder: DataFolder, routerAddress: string) {
  const socket = (name: string): string => `unix:${join(folder.run, `${name}.sock`)}`;
  const registry = createClient(RegistryServiceClient, socket('registry'));
  const auth = createClient(AuthServiceClient, socket('auth'));
  const controller = createClient(ControllerServiceClient, socket('controller'));
  const inference = new GRPCInferenceServiceClient(routerAddress, credentials.createInsecure());
  const close = (): void => [registry, auth, controller, inference].forEach((client) => client.close());
  return { registry, auth, controller, inference, close };
}

type Clients = ReturnType<typeof openClients>;

function resourceCalls({ registry }: Clients, folder: DataFolder) {
  const put: TestGround['put'] = async (kind, key, spec) => {
    const request = { kind, key, specJson: JSON.stringify(spec), ifMatch: '', principal: 'ada' };
    const { resource } = await registry.call('putResource', request, { deadlineMs: 15_000 });
    return JSON.parse(resource?.documentJson ?? '') as never;
  };
  const get: TestGround['get'] = async (kind, key) => {
    try {
      const { resource } = await registry.call('getResource', { kind, key });
      return JSON.parse(resource?.documentJson ?? '') as never;
    } catch (thrown) {
      if (PlatformError.from(thrown).code === 'not_found') return undefined;
      throw thrown;
    }
  };
  const addAsset = async (kind: 'model' | 'code', key: string, path: string): Promise<void> => {
    const place = `${kind}s/${key.replace('/', '-')}/${path.slice(path.lastIndexOf('/') + 1)}`;
    mkdirSync(dirname(join(folder.artifacts, place)), { recursive: true });
    cpSync(path, join(folder.artifacts, place), { recursive: true });
    const common = { tags: {}, properties: {}, isAnonymous: false, isArchived: false };
    const spec: ModelVersionSpec | CodeVersionSpec =
      kind === 'model' ? { ...common, type: 'custom_model', path: place } : { ...common, path: dirname(place) };
    await put(kind, key, spec as never);
  };
  return {
    put,
    get,
    remove: async (kind: ResourceKind, key: string) => {
      await registry.call('deleteResource', { kind, key, ifMatch: '', principal: 'ada' });
    },
    settled: <K extends ResourceKind>(kind: K, key: string) =>
      eventually(
        async () => {
          const resource = await get(kind, key);
          if (resource === undefined || resource.operation.status === 'InProgress') {
            throw new Error(`${key} is ${resource?.state}: ${resource?.operation.step}`);
          }
          return resource;
        },
        { timeoutMs: settleMs },
      ),
    gone: async (kind: ResourceKind, key: string) => {
      await eventually(async () => (await get(kind, key)) === undefined, { timeoutMs: settleMs });
    },
    addModel: (key: string, path: string) => addAsset('model', key, path),
    addCode: (key: string, path: string) => addAsset('code', key, path),
  };
}

/** A request waits at most this long. */
const scoreMs = 10_000;

function createScore({ auth, inference }: Clients): TestGround['score'] {
  const keys = new Map<string, Promise<string>>();
  const keyOf = (endpoint: string): Promise<string> => {
    const known = keys.get(endpoint) ?? auth.call('listEndpointKeys', { endpoint }).then((pair) => pair.primaryKey);
    keys.set(endpoint, known);
    return known;
  };
  const rawInputContents = [Buffer.from(new Float32Array([5.1, 3.5, 1.4, 0.2]).buffer)];
  const inputs = [{ name: 'input', datatype: 'FP32', shape: [1, 4], parameters: {}, contents: undefined }];
  return async (endpoint, deployment = '') => {
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${await keyOf(endpoint)}`);
    const request = { modelName: endpoint, modelVersion: deployment, id: '', parameters: {}, inputs, outputs: [] };
    return new Promise((resolve) => {
      inference.modelInfer({ ...request, rawInputContents }, metadata, { deadline: Date.now() + scoreMs }, (error) =>
        resolve(error === null ? { code: 0, details: '' } : { code: error.code, details: error.details }),
      );
    });
  };
}

const inFlight = 4;

async function scoreWhile(score: () => Promise<Answer>, work: () => Promise<void>) {
  const failed: Answer[] = [];
  let sent = 0;
  let over = false;
  const caller = async (): Promise<void> => {
    while (!over) {
      sent += 1;
      const answer = await score();
      if (answer.code !== 0) failed.push(answer);
    }
  };
  const callers = Array.from({ length: inFlight }, () => caller());
  try {
    await work();
  } finally {
    over = true;
    await Promise.all(callers);
  }
  return { sent, failed };
}
