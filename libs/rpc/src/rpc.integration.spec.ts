import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { AuthServiceClient, AuthServiceService } from '@mooring/contracts/auth';
import { HealthClient } from '@mooring/contracts/health';
import { PlatformError } from '@mooring/errors';
import {
  createClient,
  createServiceClient,
  service,
  startGrpcServer,
  unary,
  type GrpcServer,
  type RpcClient,
} from './index.ts';

const log = pino({ enabled: false });
let folder: string;
let server: GrpcServer;
let client: RpcClient<AuthServiceClient>;
let ready = true;
let cancelled = 0;

function authImplementation() {
  const missing = unary(log, () => {
    throw new PlatformError('not_found', 'ENDPOINT_NOT_FOUND', "there is no endpoint 'x'", {
      problems: [{ path: 'name', problem: 'is not known', expected: 'cars' }],
      retryAfterMs: 250,
    });
  });
  return {
    ensureEndpointKeys: missing,
    listEndpointKeys: unary(log, (request: { endpoint: string }) => ({
      primaryKey: request.endpoint,
      secondaryKey: 's',
    })),
    regenerateEndpointKey: unary(log, () => {
      throw new Error('database password is hunter2');
    }),
    deleteEndpointKeys: unary(
      log,
      (_request, { signal }) =>
        new Promise<never>((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            cancelled += 1;
            reject(signal.reason as Error);
          });
        }),
    ),
    authenticateManagement: missing,
    seal: missing,
    open: missing,
  };
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rpc-'));
  ready = true;
  cancelled = 0;
  server = await startGrpcServer({
    address: `unix:${folder}/a.sock`,
    services: [service(AuthServiceService, authImplementation())],
    log,
    ready: () => ready,
  });
  client = createClient(AuthServiceClient, server.address);
});

afterEach(async () => {
  client.close();
  await server.stop(AbortSignal.timeout(1_000));
  rmSync(folder, { recursive: true, force: true });
});

describe('a call', () => {
  it('answers over a unix socket that only its owner may use', async () => {
    expect((await client.call('listEndpointKeys', { endpoint: 'cars' })).primaryKey).toBe('cars');
    expect(statSync(`${folder}/a.sock`).mode & 0o777).toBe(0o600);
  });

  it('throws the very error that the server threw', async () => {
    const error = await client.call('ensureEndpointKeys', { endpoint: 'x' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PlatformError);
    expect(error).toMatchObject({ code: 'not_found', reason: 'ENDPOINT_NOT_FOUND', retryAfterMs: 250 });
    expect((error as PlatformError).problems).toEqual([{ path: 'name', problem: 'is not known', expected: 'cars' }]);
  });

  it('hides the text of an unexpected error', async () => {
    const error = (await client
      .call('regenerateEndpointKey', { endpoint: 'x', slot: 1 })
      .catch((thrown: unknown) => thrown)) as PlatformError;
    expect(error.code).toBe('internal');
    expect(error.message).not.toContain('hunter2');
  });

  it('ends at its deadline and tells the handler', async () => {
    const error = await client
      .call('deleteEndpointKeys', { endpoint: 'x' }, { deadlineMs: 50 })
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'deadline_exceeded' });
    await expect.poll(() => cancelled).toBe(1);
  });

  it('says unavailable and retryable when nobody listens', async () => {
    const nobody = createClient(AuthServiceClient, `unix:${folder}/nobody.sock`);
    const error = await nobody.call('listEndpointKeys', { endpoint: 'x' }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'unavailable' });
    nobody.close();
  });

  it('to a service that is away says which one, not where, and lets its own errors through', async () => {
    const away = createServiceClient(AuthServiceClient, `unix:${folder}/nobody.sock`, 'auth', { advice: '; wait' });
    await expect(away.call('listEndpointKeys', { endpoint: 'x' })).rejects.toMatchObject({
      code: 'unavailable',
      reason: 'AUTH_UNAVAILABLE',
      message: 'the auth service gives no answer just now; wait',
    });
    away.close();
    const far = createServiceClient(AuthServiceClient, `unix:${folder}/nobody.sock`, 'batch-scheduler');
    await expect(far.call('listEndpointKeys', { endpoint: 'x' })).rejects.toMatchObject({
      reason: 'BATCH_SCHEDULER_UNAVAILABLE',
    });
    far.close();
    const here = createServiceClient(AuthServiceClient, server.address, 'auth');
    await expect(here.call('ensureEndpointKeys', { endpoint: 'x' })).rejects.toMatchObject({ code: 'not_found' });
    await expect(here.call('deleteEndpointKeys', { endpoint: 'x' }, { deadlineMs: 50 })).rejects.toMatchObject({
      code: 'unavailable',
    });
    here.close();
  });
});

describe('a server', () => {
  it('answers health by readiness', async () => {
    const health = createClient(HealthClient, server.address);
    expect((await health.call('check', { service: '' })).status).toBe(1);
    ready = false;
    expect((await health.call('check', { service: 'mooring.auth.v1.AuthService' })).status).toBe(2);
    health.close();
  });

  it('stops at once when its deadline has already passed, open calls or not', async () => {
    const open = client.call('deleteEndpointKeys', { endpoint: 'x' }).catch((thrown: unknown) => thrown);
    await expect.poll(() => client.call('listEndpointKeys', { endpoint: 'a' }).then(() => true)).toBe(true);
    await server.stop(AbortSignal.abort());
    // grpc-js resets the call's stream, which its caller sees as cancelled.
    expect(await open).toMatchObject({ code: 'cancelled' });
  });

  it('takes over a socket file that a crashed process left, but not one in use', async () => {
    writeFileSync(`${folder}/stale.sock`, '');
    const second = await startGrpcServer({
      address: `unix:${folder}/stale.sock`,
      services: [],
      log,
      ready: () => true,
    });
    await expect(
      startGrpcServer({ address: `unix:${folder}/stale.sock`, services: [], log, ready: () => true }),
    ).rejects.toThrow('another process already listens');
    await second.stop(AbortSignal.timeout(1_000));
  });
});
