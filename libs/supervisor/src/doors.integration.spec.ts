import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { Doors } from './doors.ts';
import { processesOf, type TopologyName } from './topology.ts';

const pidServer = fileURLToPath(new URL('./testing/pid-server.ts', import.meta.url));
const any = { http: '127.0.0.1:0', grpc: '127.0.0.1:0', management: '127.0.0.1:0' };
const opened: { doors: Doors; children: ChildProcess[]; folder: string }[] = [];
afterEach(async () => {
  for (const { doors, children, folder } of opened.splice(0)) {
    for (const child of children) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    doors.close();
    rmSync(folder, { recursive: true });
  }
});

async function open(topology: TopologyName, edges = 1) {
  const folder = mkdtempSync(join(tmpdir(), 'doors-'));
  const children: ChildProcess[] = [];
  const environment = { MOORING_DATA: folder };
  mkdirSync(join(folder, 'run'));
  const doors = await Doors.open(processesOf(topology, edges), any, environment);
  opened.push({ doors, children, folder });
  /** A stand-in for the process: it answers on the first socket, which is for gRPC. Resolves with its pid. */
  const serve = async (name: string): Promise<number> => {
    const child = spawn(process.execPath, [pidServer], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc', ...(doors.lend(name).handles as [])],
      env: { PATH: process.env['PATH'], MOORING_LOG_LEVEL: 'silent' },
    });
    children.push(child);
    await once(child, 'message');
    return child.pid ?? 0;
  };
  return { doors, serve };
}

function answer(address: string): Promise<string> {
  const port = Number(address.split(':')[1]);
  return new Promise((resolve) => {
    let text = '';
    const socket = createConnection(port, '127.0.0.1');
    socket.write('who?\n');
    socket.setTimeout(1_000, () => socket.destroy());
    socket.on('data', (data: Buffer) => {
      text += data.toString();
      socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

describe('the listening sockets of a platform', () => {
  it('are one for each service of a process, named by variables', async () => {
    const { doors } = await open('split');
    expect(doors.lend('registry')).toMatchObject({ environment: { MOORING_REGISTRY_LISTEN_FD: '4' } });
    expect(doors.lend('batch-scheduler').environment).toEqual({ MOORING_BATCH_SCHEDULER_LISTEN_FD: '4' });
    expect(doors.lend('router').environment).toEqual({
      MOORING_ROUTER_GRPC_LISTEN_FD: '4',
      MOORING_ROUTER_LISTEN_FD: '5',
    });
    const { http, grpc, management } = doors.addresses;
    for (const address of [http, grpc, management]) expect(address).toMatch(/^127\.0\.0\.1:[1-9]\d*$/);
  });

  it('are the same for every process that gets them', async () => {
    const { doors } = await open('default');
    expect(doors.lend('edge').handles[0]).toBe(doors.lend('edge').handles[0]);
  });

  it('that share a port share its connections; one that is withdrawn gets none until it is lent again', async () => {
    const { doors, serve } = await open('default', 2);
    const { grpc } = doors.addresses;
    const pid = await serve('edge');
    const before = doors.lend('edge-2').handles[0];
    doors.withdraw('edge-2');
    const answers = await Promise.all(Array.from({ length: 20 }, () => answer(grpc)));
    expect(new Set(answers)).toEqual(new Set([`${pid}\n`]));
    expect(doors.lend('edge-2').handles[0]).not.toBe(before);
  });

  it('are never withdrawn where nobody else would answer', async () => {
    const { doors } = await open('default');
    const before = doors.lend('edge').handles;
    doors.withdraw('edge');
    expect(doors.lend('edge').handles).toEqual(before);
  });
});
