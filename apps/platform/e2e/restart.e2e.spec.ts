import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  endpointYaml,
  figure,
  fixtures,
  onnxYaml,
  root,
  run,
  scriptYaml,
  startPlatform,
  topology,
  until,
  type Platform,
} from './harness.ts';

const iris = '{"data": [[5.1, 3.5, 1.4, 0.2]]}';
/** The processes of the topology, in the order in which `restart` replaces them. */
const processes =
  {
    default: ['control', 'edge'],
    single: ['platform'],
    split: ['auth', 'registry', 'controller', 'batch-scheduler', 'worker', 'management', 'router', 'gateway'],
  }[topology] ?? [];

/** A script whose run tells that it has begun, and ends a little after it may. */
function untilReleased(folder: string): string {
  return `
import os, time
def init(): pass
def run(data):
    open(${JSON.stringify(join(folder, 'slow-runs'))}, "w").close()
    for _ in range(180):
        time.sleep(0.1)
        if os.path.exists(${JSON.stringify(join(folder, 'slow-may-end'))}): break
    time.sleep(0.5)
    return [1]
`;
}

interface Restarted {
  process: string;
  old_pid: number;
  pid: number;
}

describe(`restart (${topology} topology)`, () => {
  let platform: Platform;
  let key = '';
  beforeAll(async () => {
    platform = await startPlatform();
    await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('kept')));
    const onnx = onnxYaml('kept', 'tiny', join(fixtures, 'iris-onnx/model.onnx'));
    await platform.json('online-deployment', 'create', '-f', platform.yaml(onnx), '--all-traffic');
    const slow = scriptYaml('kept', 'slow', './code', 'slow.py');
    const yaml = platform.yaml(slow, { 'code/slow.py': untilReleased(platform.data) });
    await platform.json('online-deployment', 'create', '-f', yaml);
    key = await platform.key('kept');
  });
  afterAll(() => platform.remove());

  const children = (): { name: string; pid: number }[] => {
    const record = readFileSync(join(platform.data, 'run/supervisor.json'), 'utf8');
    return (JSON.parse(record) as { children: { name: string; pid: number }[] }).children;
  };
  const pidOf = (name: string): number => children().find((child) => child.name === name)?.pid ?? 0;

  it('replaces every process one by one; addresses, NATS and answers stay', async () => {
    const addresses = [platform.http, platform.grpc, platform.management];
    const nats = pidOf('nats');
    const restarted = await platform.json<Restarted[]>('restart');
    expect(restarted.map(({ process }) => process)).toEqual(processes);
    for (const { process, old_pid: old, pid } of restarted) {
      expect(pid).not.toBe(old);
      expect(pidOf(process)).toBe(pid);
    }
    expect(pidOf('nats')).toBe(nats);
    const { http, grpc, management } = JSON.parse(
      readFileSync(join(platform.data, 'run/supervisor.json'), 'utf8'),
    ) as Record<string, string>;
    expect([http, grpc, management]).toEqual(addresses);
    expect((await platform.send('/endpoints/kept/score', { key, body: iris })).status).toBe(200);
    expect((await platform.json('online-deployment', 'show', '-n', 'tiny', '-e', 'kept'))['provisioning_state']).toBe(
      'Succeeded',
    );
  });

  it('of a service replaces the process that runs it; a request that is open is answered, by then from the old one', async () => {
    const headers = { 'azureml-model-deployment': 'slow' };
    const open = platform.send('/endpoints/kept/score', { key, body: '{}', headers });
    await until('the request to be open', async () => existsSync(join(platform.data, 'slow-runs')));
    const args = [join(root, 'apps/cli/src/main.ts'), 'restart', 'gateway', '--data', platform.data];
    const restart = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    restart.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    restart.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const closed = once(restart, 'close');
    await until('the new process to serve', async () => stderr.includes('finishes what is open'));
    writeFileSync(join(platform.data, 'slow-may-end'), '');
    expect(await closed, stderr).toEqual([0, null]);
    expect(stdout).toMatch(/Process\s+Old pid\s+Pid\s+Ready ms\s+Drain ms/);
    const answer = await open;
    expect(answer.status, answer.body.toString()).toBe(200);
    expect(answer.headers['connection']).toBe('close');
  });

  it('keeps connections that are idle', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = (): Promise<{ status: number; port: number | undefined }> =>
      new Promise((resolve, reject) => {
        const headers = { authorization: `Bearer ${key}`, 'content-length': iris.length };
        const call = request(
          `${platform.http}/endpoints/kept/score`,
          { method: 'POST', agent, headers },
          (response) => {
            const { localPort: port } = response.socket;
            response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, port }));
          },
        );
        call.on('error', reject);
        call.end(iris);
      });
    const before = await ask();
    await platform.json('restart', 'edge');
    expect(await ask()).toEqual(before);
    expect(before.status).toBe(200);
    agent.destroy();
  });

  it('says what there is when it does not know the name, and that nothing runs when nothing does', async () => {
    const unknown = await platform.mooring('restart', 'frontdoor');
    expect(unknown.code).toBe(3);
    expect(unknown.stderr).toMatch(/no process or service 'frontdoor'; there are: edge, control, .*nats/);
    const nowhere = await platform.mooring('restart', '--data', join(platform.data, 'elsewhere'));
    expect(nowhere.code).toBe(5);
    expect(nowhere.stderr).toMatch(/no platform runs on/);
  });

  it('who connects while the data plane is started again after a kill waits, and is answered', async () => {
    const name = processes.at(-1) ?? '';
    const pid = pidOf(name);
    process.kill(pid, 'SIGKILL');
    await until('it to be gone', async () => pidOf(name) !== pid);
    const answer = await platform.send('/endpoints/kept/score', { key, body: iris });
    expect(answer.status, answer.body.toString()).toBe(200);
    figure(
      `kill of ${name} (${topology}): a request just after it waited ${Math.round(answer.ms)} ms and was answered`,
    );
  });
});

describe(`changes, restarts and kills under load (${topology} topology)`, () => {
  it('lose no request and answer none wrong', { timeout: 900_000 }, async () => {
    const program = join(root, 'load-tests/reliability/main.ts');
    const args = [program, '--topology', topology, '--rate', '150'];
    // Changes are the same work in every topology; which processes there are to restart and to kill is not.
    const listed = await run(process.execPath, [...args, '--list'], {});
    const names = listed.stdout.match(/^(roll|restart-|kill-)\S*/gm) ?? [];
    expect(names).toEqual(expect.arrayContaining(['roll', 'restart-nats', 'kill-scorer', 'kill-nats']));
    const which = topology === 'default' ? ['--count', '2'] : ['--count', '1', '--only', names.join(',')];
    const { code, stdout, stderr } = await run(process.execPath, [...args, ...which], {}, 880_000);
    for (const line of stdout.trimEnd().split('\n')) figure(`${line} (${topology})`);
    expect(code, stdout + stderr).toBe(0);
  });
});
