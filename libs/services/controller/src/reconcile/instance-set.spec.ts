import { expect, it } from 'vitest';
import { readMooringSettings, requestSettingsDefaults, type InstanceRecord } from '@mooring/domain';
import { registry } from '@mooring/telemetry';
import type { InstanceHandle, Launch, OnInstanceChange } from '../ports.ts';
import { InstanceRecords } from './instance-records.ts';
import { InstanceSet } from './instance-set.ts';
import { patientProbes } from './target.ts';

const launch: Launch = {
  digest: 'd1',
  template: {
    endpoint: 'cars',
    deployment: 'luca',
    runtime: { kind: 'onnx', file: 'model.onnx' },
    environmentVariables: {},
    requestSettings: requestSettingsDefaults,
    settings: readMooringSettings({}).settings,
    threads: 1,
    orphanTimeoutMs: 60_000,
  },
  limits: { cpu: 1, memoryMib: 512 },
  warnings: [],
};

/** A set on a compute target whose processes do what the test says. */
function setOnPuppets() {
  const handles: { -readonly [K in keyof InstanceHandle]: InstanceHandle[K] }[] = [];
  let onChange: OnInstanceChange = () => {};
  const kinds: string[] = [];
  const stored = new Map<string, InstanceRecord>();
  const set = new InstanceSet({
    compute: {
      start: async (identity, _launch, _probes, told) => {
        onChange = told;
        const stop = async () => {};
        const running = { pid: 1, startTicks: 1, startedAtMs: Date.now() - 500, address: 'unix:/nowhere' };
        const unknown = { modelDigest: undefined, placement: undefined, readyAtMs: undefined, ended: undefined };
        const phase = 'starting' as const;
        const handle = { ...identity, ...running, ...unknown, phase, reason: 'starting', stop };
        handles.push({ ...handle, useProbes: () => {}, release: () => {} });
        return handles.at(-1) as InstanceHandle;
      },
    },
    events: { tell: ({ kind }) => void kinds.push(kind) },
    bans: { why: () => undefined, ban: () => {} },
    records: new InstanceRecords({
      put: async (key, value) => void stored.set(key, value),
      delete: async (key) => void stored.delete(key),
    }),
    wake: () => {},
    noticeMs: 0,
  });
  const start = async () => {
    await set.act([{ do: 'start', digest: 'd1', number: 1, of: 1 }], [launch], () => patientProbes, 1_000);
    const handle = handles.at(-1);
    if (handle === undefined) throw new Error('nothing was started');
    const become = (change: Partial<typeof handle>) => onChange(Object.assign(handle, change));
    return { handle, become };
  };
  return { set, start, kinds, stored };
}

it('counts what came to serve and what ended before, and keeps the reason until another takes its place', async () => {
  const { set, start, kinds, stored } = setOnPuppets();
  const first = await start();
  first.become({ phase: 'ended', ended: { exitCode: 3, lastLines: [] } });
  await set.flush();
  expect(set.hasFallen).toBe(true);
  expect([...stored.values()]).toMatchObject([{ id: first.handle.id, state: 'failed', restarts: 0 }]);

  const second = await start();
  second.become({ phase: 'ready', readyAtMs: Date.now(), reason: undefined });
  await set.flush();
  expect(set.hasFallen).toBe(false);
  expect([...stored.values()]).toMatchObject([{ id: second.handle.id, state: 'ready', restarts: 1 }]);
  expect(kinds).toEqual(['InstanceStarted', 'InstanceCrashed', 'InstanceStarted', 'InstanceReady']);
  const text = await registry.metrics();
  const where = 'endpoint="cars",deployment="luca"';
  expect(text).toContain(`model_loads_total{${where},result="failed"} 1`);
  expect(text).toContain(`model_loads_total{${where},result="loaded"} 1`);
  expect(text).toContain(`scorer_restarts_total{${where},why="crash"} 1`);
});

it('lets one go only when routers were told, and then it is no crash', async () => {
  const { set, start, kinds, stored } = setOnPuppets();
  const { handle, become } = await start();
  become({ phase: 'ready', readyAtMs: Date.now(), reason: undefined });
  let stopped = false;
  handle.stop = async () => void (stopped = true);
  await set.act([{ do: 'drain', id: handle.id }], [], () => patientProbes, 1_000);
  expect(stopped).toBe(false);
  await set.flush();
  expect([...stored.values()]).toMatchObject([{ state: 'draining' }]);
  await set.act([], [], () => patientProbes, 1_000);
  expect(stopped).toBe(true);
  become({ phase: 'ended', ended: { exitCode: 0, lastLines: [] } });
  await set.flush();
  expect(set.isEmpty).toBe(true);
  expect(stored.size).toBe(0);
  expect(kinds.at(-1)).toBe('InstanceStopped');
});
