import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pino } from 'pino';
import { dataFolder } from '@mooring/config';
import { AuthServiceService, type AuthServiceServer } from '@mooring/contracts/auth';
import { RegistryServiceClient } from '@mooring/contracts/registry';
import { storedOf } from '@mooring/contracts/stored-resource';
import type { Operation, ResourceKind, SpecByKind, Stored } from '@mooring/domain';
import { createClient, service, startGrpcServer, unary, type RpcClient } from '@mooring/rpc';
import { startModules } from '@mooring/runtime';
import { registryModule } from '../index.ts';

/** A real registry on real NATS, with an auth service that knows sealing alone. */
export interface TestRegistry {
  call: RpcClient<RegistryServiceClient>['call'];
  put<K extends ResourceKind>(
    kind: K,
    key: string,
    spec: SpecByKind[K] | string,
    ifMatch?: string,
  ): Promise<{ resource: Stored<K>; created: boolean; changed: boolean }>;
  get<K extends ResourceKind>(kind: K, key: string): Promise<Stored<K>>;
  /** Of what is there. */
  remove(kind: ResourceKind, key: string, ifMatch?: string): Promise<Stored>;
  operation(id: string): Promise<Operation>;
  /** What the controller says when it is done. */
  end(resource: Stored, error?: { code: string; message: string }): Promise<void>;
  finalize(resource: Stored): Promise<void>;
  /** Everything that was logged. */
  logged: string[];
  stopAuth(): Promise<void>;
  startAuth(): Promise<void>;
  /** The registry alone ends and starts again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** `natsSettings`: how to reach NATS; `dataDir`: a folder of its own, which the caller removes. */
export async function startTestRegistry(
  natsSettings: Readonly<Record<string, string>>,
  dataDir: string,
): Promise<TestRegistry> {
  const logged: string[] = [];
  const log = pino(
    { level: 'trace' },
    new Writable({ write: (chunk, _e, done) => done(void logged.push(`${chunk}`)) }),
  );
  const { run } = dataFolder(dataDir);
  const startAuth = () =>
    startGrpcServer({ address: `unix:${join(run, 'auth.sock')}`, services: [sealing(log)], log, ready: () => true });
  const environment = { ...natsSettings, MOORING_NATS_DEADLINE_MS: '1500', MOORING_DATA: dataDir };
  const startRegistry = () => startModules([registryModule], { environment, log });
  let auth = await startAuth();
  let running = await startRegistry();
  const client = createClient(RegistryServiceClient, `unix:${join(run, 'registry.sock')}`);
  const call = client.call;
  const stopRunning = async (): Promise<void> => {
    const failures = await running.stop(5_000);
    if (failures.length > 0) throw failures[0]?.error;
  };
  const stopAuth = () => auth.stop(AbortSignal.timeout(2_000));
  return {
    call,
    put: async (kind, key, spec, ifMatch = '') => {
      const specJson = typeof spec === 'string' ? spec : JSON.stringify(spec);
      const answer = await call(
        'putResource',
        { kind, key, specJson, ifMatch, principal: 'ada' },
        { deadlineMs: 30_000 },
      );
      return { resource: storedOf(answer.resource), created: answer.created, changed: answer.changed };
    },
    get: async (kind, key) => storedOf((await call('getResource', { kind, key })).resource),
    remove: async (kind, key, ifMatch = '') => {
      const { resource } = await call('deleteResource', { kind, key, ifMatch, principal: 'ada' });
      return storedOf(resource);
    },
    operation: async (operationId) =>
      JSON.parse((await call('getOperation', { operationId })).operationJson) as Operation,
    end: async ({ kind, key, generation }, error) => {
      await call('reportOperation', {
        kind,
        key,
        generation,
        status: error === undefined ? 'Succeeded' : 'Failed',
        step: '',
        percentComplete: 0,
        errorCode: error?.code ?? '',
        errorMessage: error?.message ?? '',
        warnings: [],
      });
    },
    finalize: async ({ kind, key, generation }) => void (await call('finalizeDelete', { kind, key, generation })),
    logged,
    stopAuth,
    startAuth: async () => void (auth = await startAuth()),
    restart: async () => {
      await stopRunning();
      running = await startRegistry();
    },
    stop: async () => {
      client.close();
      await stopRunning();
      await stopAuth();
    },
  };
}

/** Seals by turning bytes around: unreadable enough to see whether the registry seals, and bound to the purpose. */
function sealing(log: pino.Logger) {
  const mirrored = (bytes: Uint8Array): Buffer => Buffer.from(bytes.map((byte) => byte ^ 0x5a));
  const partial: Pick<AuthServiceServer, 'seal' | 'open'> = {
    seal: unary(log, ({ plain, purpose }) => ({ sealed: `${purpose}#${mirrored(plain).toString('base64')}` })),
    open: unary(log, ({ sealed, purpose }) => {
      const [sealedFor, body = ''] = sealed.split('#');
      if (sealedFor !== purpose) throw new Error('sealed for something else');
      return { plain: mirrored(Buffer.from(body, 'base64')) };
    }),
  };
  return service(AuthServiceService, partial as AuthServiceServer);
}
