import { credentials, Metadata, type CallOptions } from '@grpc/grpc-js';
import { pino } from 'pino';
import { GRPCInferenceServiceClient } from '@mooring/contracts/inference';
import { credentialsBucket, credentialsKey, keyVerifier } from '@mooring/credentials';
import { kvKey, type EndpointCredentialsRecord, type InstanceRecord, type RoutingRecord } from '@mooring/domain';
import type { Bucket, Nats } from '@mooring/messaging';
import { startModules } from '@mooring/runtime';
import { routerModule, type Router } from '../index.ts';
import type { TestScorer } from './test-scorer.ts';

/** A real router on a real NATS; the spec plays controller, auth and scorers. */
export interface TestPlatform {
  store: Nats;
  router: Router;
  folder: string;
  routing: Bucket<RoutingRecord>;
  instances: Bucket<InstanceRecord>;
  client: GRPCInferenceServiceClient;
  announce(scorer: TestScorer, state?: InstanceRecord['state']): Promise<void>;
  setKeys(endpoint: string, primary: string, secondary: string): Promise<void>;
  stop(): Promise<void>;
}

const log = pino({ enabled: false });

/** What the spec gives: NATS's settings, a connection to it, a short folder for sockets. */
export interface TestGround {
  environment: Readonly<Record<string, string>>;
  store: Nats;
  folder: string;
}

export async function startTestPlatform(
  ground: TestGround,
  settings: Readonly<Record<string, string>> = {},
): Promise<TestPlatform> {
  const { store, folder } = ground;
  const routing = await store.bucket<RoutingRecord>('mooring_routing');
  const instances = await store.bucket<InstanceRecord>('mooring_instances');
  const keys = await store.bucket<EndpointCredentialsRecord>(credentialsBucket);
  const running = await startModules([routerModule], {
    environment: {
      ...ground.environment,
      MOORING_DATA: folder,
      MOORING_ROUTER_GRPC: '127.0.0.1:0',
      MOORING_ROUTER_ADDRESS: `unix:${folder}/router.sock`,
      MOORING_ROUTER_MIRROR_FLUSH_MS: '50',
      ...settings,
    },
    log,
  });
  const router = running.get(routerModule);
  if (!router?.grpcAddress) throw new Error('the router did not start');
  const client = new GRPCInferenceServiceClient(router.grpcAddress, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  return {
    store,
    router,
    folder,
    routing,
    instances,
    client,
    announce: async ({ record }, state = 'ready') => {
      await instances.put(kvKey(record.endpoint, record.deployment, record.id), { ...record, state });
    },
    setKeys: async (endpoint, primary, secondary) => {
      const verifier = (key: string, salt: string) => ({ ...keyVerifier(key, Buffer.from(salt)), sealed: '' });
      await keys.put(credentialsKey(endpoint), {
        endpoint,
        primary: verifier(primary, 'a'),
        secondary: verifier(secondary, 'b'),
      });
    },
    stop: async () => {
      client.close();
      await running.stop(5_000);
    },
  };
}

export function metadata(values: Readonly<Record<string, string | readonly string[]>>): Metadata {
  const result = new Metadata();
  for (const [name, value] of Object.entries(values)) for (const one of [value].flat()) result.add(name, one);
  return result;
}

export interface RawAnswer {
  code: number;
  details: string;
  body: Buffer;
  headers: Metadata;
  trailers: Metadata;
}

/** A unary call with bytes as they are; resolves with the status, also of a failure. */
export function rawCall(
  client: GRPCInferenceServiceClient,
  method: string,
  message: Buffer,
  values: Readonly<Record<string, string | readonly string[]>> = {},
  options: Partial<CallOptions> = {},
): Promise<RawAnswer> {
  const same = (bytes: Buffer): Buffer => bytes;
  return new Promise((resolve) => {
    let headers = new Metadata();
    let body: Buffer = Buffer.alloc(0);
    const path = `/inference.GRPCInferenceService/${method}`;
    const deadline = Date.now() + 10_000;
    const call = client.makeUnaryRequest(
      path,
      same,
      same,
      message,
      metadata(values),
      { deadline, ...options },
      (_error, response) => {
        body = response ?? body;
      },
    );
    call.on('metadata', (received: Metadata) => (headers = received));
    call.on('status', ({ code, details, metadata: trailers }) => {
      setImmediate(() => resolve({ code, details, body, headers, trailers }));
    });
  });
}
