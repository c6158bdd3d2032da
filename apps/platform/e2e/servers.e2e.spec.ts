import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataFolder } from '@mooring/config';
import { HealthClient } from '@mooring/contracts/health';
import { createClient } from '@mooring/rpc';
import { startTestNats, type TestNats } from '@mooring/testing';
import { endpointYaml, fixtures, onnxYaml, run, startPlatform, until, type Platform } from './harness.ts';

const iris = '{"data": [[5.1, 3.5, 1.4, 0.2]]}';
let nats: TestNats;
let slow: SlowLink;
let platform: Platform;
let key: string;

/** A TCP relay before NATS whose every packet can be held back. */
interface SlowLink {
  address: string;
  delayMs: number;
  close(): void;
}

async function slowLink(port: number): Promise<SlowLink> {
  const sockets = new Set<Socket>();
  const relay = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (chunk) => setTimeout(() => to.write(chunk), link.delayMs));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      // Behind what was held back.
      setTimeout(() => to.end(), link.delayMs);
    });
  };
  const server = createServer((near) => {
    const far = createConnection(port, '127.0.0.1');
    relay(near, far);
    relay(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const link: SlowLink = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    delayMs: 0,
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return link;
}

const score = () => platform.send('/endpoints/kept/score', { key, body: iris, timeoutMs: 10_000 });

beforeAll(async () => {
  nats = await startTestNats();
  slow = await slowLink(Number(new URL(nats.url).port));
  const url = `nats://${nats.user}:${nats.password}@${slow.address}`;
  platform = await startPlatform({}, ['--topology', 'split', '--nats', url]);
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('kept')));
  const yaml = onnxYaml('kept', 'one', join(fixtures, 'iris-onnx/model.onnx'));
  await platform.json('online-deployment', 'create', '-f', platform.yaml(yaml), '--all-traffic');
  key = await platform.key('kept');
});
afterAll(async () => {
  await platform.remove();
  slow.close();
  await nats.stop();
});

/** The names of the services that a server describes by reflection. */
function described(address: string): Promise<string> {
  const client = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer): Buffer => bytes;
  const path = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';
  const call = client.makeBidiStreamRequest(path, same, same, { deadline: Date.now() + 5_000 });
  return new Promise<string>((resolve, reject) => {
    call.on('data', (answer: Buffer) => resolve(answer.toString('latin1')));
    call.on('error', reject);
    // ServerReflectionRequest with `list_services`, field 7, empty.
    call.end(Buffer.from([0x3a, 0]));
  }).finally(() => client.close());
}

describe('every gRPC server when each service has a process of its own', () => {
  const servers = {
    registry: 'mooring.registry.v1.RegistryService',
    auth: 'mooring.auth.v1.AuthService',
    controller: 'mooring.controller.v1.ControllerService',
    router: 'mooring.scoring.v1.',
    'batch-scheduler': 'mooring.batch.v1.',
    worker: 'grpc.health.v1.Health',
  };
  const runFolder = (): string => dataFolder(platform.data).run;

  async function expectHealthAndReflection(address: string, service: string): Promise<void> {
    const health = createClient(HealthClient, address);
    expect(await health.call('check', { service: '' }), address).toEqual({ status: 1 });
    health.close();
    const names = await described(address);
    expect(names, address).toContain(service);
    expect(names, address).toContain('grpc.health.v1.Health');
  }

  it('is named here', () => {
    // The supervisor's takes commands in lines, no calls.
    const sockets = readdirSync(runFolder()).filter((name) => name.endsWith('.sock') && name !== 'supervisor.sock');
    expect(sockets.toSorted()).toEqual(
      Object.keys(servers)
        .map((name) => `${name}.sock`)
        .toSorted(),
    );
  });

  it.each(Object.entries(servers))('%s answers health and describes itself', async (name, service) => {
    await expectHealthAndReflection(`unix:${join(runFolder(), `${name}.sock`)}`, service);
  });

  it('the public one does, and so does each instance', async () => {
    await expectHealthAndReflection(platform.grpc, 'inference.GRPCInferenceService');
    const instances = readdirSync(join(runFolder(), 'i')).filter((name) => name.endsWith('.sock'));
    expect(instances).toHaveLength(1);
    for (const name of instances) {
      await expectHealthAndReflection(`unix:${join(runFolder(), 'i', name)}`, 'mooring.scoring.v1.');
    }
  });
});

describe('a NATS that somebody else runs', () => {
  const create = (name: string) =>
    platform.mooring('online-endpoint', 'create', '-f', platform.yaml(endpointYaml(name)));

  it('is used instead of an own one, and its password is in no log', async () => {
    expect((await score()).status).toBe(200);
    const record = JSON.parse(readFileSync(dataFolder(platform.data).supervisorFile, 'utf8')) as {
      children: { name: string }[];
    };
    expect(record.children.map((child) => child.name)).not.toContain('nats');
    for (const file of readdirSync(join(platform.data, 'logs'))) {
      expect(readFileSync(join(platform.data, 'logs', file), 'utf8'), file).not.toContain(nats.password);
    }
  });

  it('when it is slow: scoring goes on, and a change is refused with a retryable error or made whole', async () => {
    slow.delayMs = 4_000;
    const refused = await create('slowly');
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/STATE_STORE_UNAVAILABLE/);
    const answer = await score();
    expect(answer.status).toBe(200);
    expect(answer.ms).toBeLessThan(1_000);
    slow.delayMs = 0;
    await until('the same change to be taken', async () => (await create('slowly')).code === 0);
    const shown = await platform.json('online-endpoint', 'show', '-n', 'slowly');
    expect(shown['provisioning_state']).toBe('Succeeded');
  });

  it('when it is lost: scoring goes on, a change is refused and nothing is half done; all comes back by itself', async () => {
    await nats.kill();
    const refused = await create('lost');
    expect(refused.code).toBe(6);
    expect(refused.stderr).toMatch(/STATE_STORE_UNAVAILABLE/);
    expect((await score()).status).toBe(200);
    await nats.resume();
    await until(
      'the control plane to be back',
      async () => (await platform.mooring('online-endpoint', 'list')).code === 0,
    );
    expect((await platform.mooring('online-endpoint', 'show', '-n', 'lost')).code).toBe(3);
    expect((await create('lost')).code).toBe(0);
  });

  it('is refused at once, with what to do, when it cannot be used', async () => {
    const elsewhere = (url: string) =>
      run(
        process.execPath,
        ['apps/cli/src/main.ts', 'up', '--data', join(platform.data, 'other'), ...ports, '--nats', url, '--detach'],
        {},
      );
    const ports = ['--http', '127.0.0.1:0', '--grpc', '127.0.0.1:0', '--management', '127.0.0.1:0'];
    const absent = await elsewhere('nats://127.0.0.1:1');
    expect(absent.code).toBe(6);
    expect(absent.stderr).toMatch(/NATS at 127\.0\.0\.1:1 cannot be reached/);
    // Straight to the server: what it says last must not be lost on a link that ends.
    const wrong = await elsewhere(nats.url.replace('nats://', `nats://${nats.user}:wrong-password@`));
    expect(wrong.stderr).toMatch(/refuses the account/);
    expect(wrong.stderr).not.toContain('wrong-password');
  });
});
