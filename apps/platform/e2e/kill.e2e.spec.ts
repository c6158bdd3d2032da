import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  endpointYaml,
  figure,
  fixtures,
  onnxYaml,
  parallel,
  scriptYaml,
  startPlatform,
  topology,
  until,
  type HttpAnswer,
  type Platform,
} from './harness.ts';

const iris = '{"data": [[5.1, 3.5, 1.4, 0.2]]}';
let platform: Platform;
let key = '';

beforeAll(async () => {
  platform = await startPlatform();
  await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('kept')));
  const yaml = onnxYaml('kept', 'two', join(fixtures, 'iris-onnx/model.onnx')).replace(
    'instance_count: 1',
    'instance_count: 2',
  );
  await platform.json('online-deployment', 'create', '-f', platform.yaml(yaml), '--all-traffic');
  key = await platform.key('kept');
});
afterAll(() => platform.remove());

interface ProcessInfo {
  pid: number;
  command: string;
}

/** Every process that belongs to this platform: its data folder is in its arguments or its environment. */
function processes(): ProcessInfo[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const environment = readFileSync(`/proc/${name}/environ`, 'utf8');
        const mine = command.includes(platform.data) || environment.includes(platform.data);
        return mine && !command.includes('vitest') ? [{ pid: Number(name), command }] : [];
      } catch {
        return [];
      }
    });
}

interface Instance {
  id: string;
  pid: number;
  state: string;
}

const instances = async (): Promise<Instance[]> => {
  const token = readFileSync(join(platform.data, 'secrets/admin.token'), 'utf8').trim();
  const workspace =
    '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';
  const answer = await fetch(`${platform.management}${workspace}/onlineEndpoints/kept/instances`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  });
  return ((await answer.json()) as { value: Instance[] }).value;
};

const score = (): Promise<HttpAnswer> => platform.send('/endpoints/kept/score', { key, body: iris, timeoutMs: 10_000 });
const supervisorFile = (): { pid: number; children: { name: string; pid: number }[] } => {
  const run = readdirSync(join(platform.data, 'run')).includes('supervisor.json') ? join(platform.data, 'run') : '';
  return JSON.parse(readFileSync(join(run, 'supervisor.json'), 'utf8')) as {
    pid: number;
    children: { name: string; pid: number }[];
  };
};
const child = (name: string): number => {
  const found = supervisorFile().children.find((process) => process.name === name);
  if (found === undefined) throw new Error(`no child ${name} in ${JSON.stringify(supervisorFile())}`);
  return found.pid;
};

/** What must hold again after every fault: resources, keys, instances, answers. */
async function whole(): Promise<void> {
  await until('the data plane to answer', async () => (await score()).status === 200, 60_000);
  await until(
    'both instances to be ready',
    async () => (await instances()).filter((instance) => instance.state === 'ready').length === 2,
    60_000,
  );
  const shown = await platform.json('online-deployment', 'show', '-n', 'two', '-e', 'kept');
  expect(shown['provisioning_state']).toBe('Succeeded');
  expect(await platform.key('kept')).toBe(key);
}

/** The processes of each topology, and whether callers notice at all while one is away. */
const victims = {
  default: { edge: true, control: false, nats: false },
  single: { platform: true, nats: false },
  split: {
    gateway: true,
    router: true,
    registry: false,
    auth: false,
    controller: false,
    management: false,
    nats: false,
  },
}[topology] as Record<string, boolean>;
/** The process that the controller runs in. */
const control = { default: 'control', single: 'platform', split: 'controller' }[topology] ?? '';

describe(`kill -9 (${topology} topology)`, () => {
  it('of a scorer under load: what had started is 503 with a reason, nothing else is lost, and it is replaced', async () => {
    await whole();
    const victim = (await instances())[0];
    const answers: HttpAnswer[] = [];
    let stop = false;
    const load = parallel(16, 16, async () => {
      while (!stop) answers.push(await score());
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    process.kill(victim?.pid ?? 0, 'SIGKILL');
    const killedAt = Date.now();
    await until('the instance to be replaced', async () => {
      const now = await instances();
      return (
        now.every((instance) => instance.id !== victim?.id || instance.pid !== victim.pid) &&
        now.filter((i) => i.state === 'ready').length === 2
      );
    });
    const recoveryMs = Date.now() - killedAt;
    stop = true;
    await load;
    const failed = answers.filter((answer) => answer.status !== 200);
    for (const answer of failed) {
      expect(answer.status).toBe(503);
      expect(JSON.parse(answer.body.toString())).toMatchObject({ error: { reason: 'INSTANCE_LOST' } });
    }
    // At most what the instance had in hand when it died.
    expect(failed.length).toBeLessThanOrEqual(16);
    figure(
      `F4 scorer-kill: 1 run, ${answers.length} requests, 0 lost, ${failed.length} started ones answered 503, replaced after ${recoveryMs} ms`,
    );
  });

  it.each(Object.entries(victims))('of %s: all is back by itself', async (name, dataPlaneDies) => {
    await whole();
    const before = (await instances()).map((instance) => instance.pid).toSorted();
    process.kill(child(name), 'SIGKILL');
    const killedAt = Date.now();
    let answered = 0;
    let refused = 0;
    while (Date.now() - killedAt < 1_500) {
      const answer = await score();
      if (answer.status === 200) answered += 1;
      else refused += 1;
    }
    // With the control plane or NATS gone the data plane goes on with what it knows.
    if (!dataPlaneDies) expect(refused).toBe(0);
    await whole();
    const after = (await instances()).map((instance) => instance.pid).toSorted();
    expect(after).toEqual(before);
    figure(
      `F1-F6 kill of ${name} (${topology}): ${answered} answered and ${refused} refused in the first 1.5 s, whole again after ${Date.now() - killedAt} ms, instances kept`,
    );
  });

  // A write waits 15 s for it. With a process for each service, servers.e2e.spec.ts has the same.
  if (topology === 'default') {
    it('of NATS: control operations fail with a clear, retryable error while it is away', async () => {
      await whole();
      const pid = child('nats');
      process.kill(pid, 'SIGSTOP');
      try {
        const refused = await platform.mooring(
          'online-endpoint',
          'create',
          '-f',
          platform.yaml(endpointYaml('halfmade')),
        );
        expect(refused.code).toBe(6);
        expect(refused.stderr).toMatch(/unavailable|does not answer|no answer|state store/i);
        expect((await score()).status).toBe(200);
      } finally {
        process.kill(pid, 'SIGCONT');
      }
      await whole();
    });
  }

  it('of everything: the next start brings every resource, key and instance back and leaves nothing behind', async () => {
    await whole();
    for (const { pid } of processes()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It ended with another.
      }
    }
    await until('everything to be gone', async () => processes().length === 0);
    const startedAt = Date.now();
    await platform.up();
    await whole();
    figure(`F-all kill of everything: whole again ${Date.now() - startedAt} ms after the start`);
    const scorers = processes().filter(({ command }) => command.includes('scorer'));
    expect(scorers).toHaveLength(2);
  });

  it('in the middle of a deployment: the operation goes on by itself and ends', async () => {
    await whole();
    const scripts = join(fixtures, 'slow-and-bad/scripts');
    const yaml = platform.yaml(
      scriptYaml('kept', 'late', scripts, 'slow_init.py', 'environment_variables: {FIXTURE_INIT_SECONDS: "3"}'),
    );
    const accepted = await platform.mooring('online-deployment', 'create', '-f', yaml, '--no-wait');
    expect(accepted.code, accepted.stderr).toBe(0);
    process.kill(child(control), 'SIGKILL');
    await until('the deployment to succeed', async () => {
      const shown = await platform.mooring('online-deployment', 'show', '-n', 'late', '-e', 'kept', '-o', 'json');
      return (
        shown.code === 0 && (JSON.parse(shown.stdout) as Record<string, unknown>)['provisioning_state'] === 'Succeeded'
      );
    });
    const late = await platform.send('/endpoints/kept/score', {
      key,
      body: '{}',
      headers: { 'azureml-model-deployment': 'late' },
    });
    expect(late.status).toBe(200);
    await platform.json('online-deployment', 'delete', '-n', 'late', '-e', 'kept', '--yes');
  });
});

describe('down', () => {
  it('ends what a killed supervisor left running, says what, and the next start brings all back', async () => {
    await whole();
    process.kill(supervisorFile().pid, 'SIGKILL');
    const { code, stderr } = await platform.down();
    expect(code, stderr).toBe(0);
    expect(stderr).toMatch(/was killed[^]*ended kept\/two \(process \d+\)[^]*ended nats \(process \d+\)/);
    expect(processes()).toEqual([]);
    expect((await platform.down()).stderr).toContain('no platform runs on');
    await platform.up();
    await whole();
  });

  it('stops everything and leaves no process behind', async () => {
    expect((await platform.down()).code).toBe(0);
    await until('all processes to be gone', async () => processes().length === 0, 20_000);
  });
});
