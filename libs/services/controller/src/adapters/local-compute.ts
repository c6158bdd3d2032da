import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import type { InstanceSpec } from '@mooring/domain';
import { isAlive } from '@mooring/runtime';
import { metrics } from '@mooring/telemetry';
import { mib, whatEnded, whyEnded } from '../domain/exit-reason.ts';
import type { ComputeTarget, InstanceHandle, InstanceIdentity, Launch, OnInstanceChange, Probes } from '../ports.ts';
import type { GroupTree, InstanceGroup } from './cgroups.ts';
import {
  halfMadeFolders,
  instanceFolder,
  logFile,
  readInstanceFiles,
  removeInstanceFolder,
  writeInstanceFile,
  type InstanceFile,
} from './instance-folder.ts';
import { deploymentLogs, instancesOf } from './instance-logs.ts';
import { LocalInstance } from './local-instance.ts';
import { scorerEnvironment, spawnScorer } from './spawn-scorer.ts';

/** Ended instances of a deployment whose logs are kept. */
const endedKeptMax = 4;

export interface LocalComputeOptions {
  /** Folder of the instances' folders. */
  instances: string;
  socketOf: (id: string) => string;
  /** Program and arguments of the scorer. */
  command: readonly string[];
  environment: Readonly<Record<string, string | undefined>>;
  groups: GroupTree | undefined;
  /** Size of one log file; twice that is kept. */
  logBytesMax: number;
  log: Logger;
}

/** Instances as processes of this machine, each in its own session and, where possible, in control groups of its own. */
export function createLocalCompute(options: LocalComputeOptions): ComputeTarget {
  const { instances, groups, log } = options;
  mkdirSync(instances, { recursive: true, mode: 0o700 });
  const running = new Map<string, LocalInstance>();

  const watch = (
    known: InstanceFile,
    probes: Probes,
    onChange: OnInstanceChange,
    child?: Parameters<typeof makeInstance>[1],
  ): LocalInstance => {
    const { readyAtMs: _readyAtMs, ...file } = known;
    const ended: OnInstanceChange = (instance) => {
      if (instance.phase === 'ended') leave(instance, file);
      else noteReadiness(instances, file, instance);
      onChange(instance);
    };
    const instance = makeInstance({ file: known, options, probes, onChange: ended }, child);
    running.set(file.id, instance);
    return instance;
  };

  /** Takes the traces of an ended instance away, except its folder with the log. */
  const leave = (instance: InstanceHandle, file: InstanceFile): void => {
    running.delete(file.id);
    metrics.scorerResident.remove({ ...labelsOf(file), instance: file.id });
    const endReason = instance.ended === undefined ? '' : `${whatEnded(instance.ended)}: ${whyEnded(instance.ended)}`;
    writeInstanceFile(instances, { ...file, endedAtMs: Date.now(), endReason });
    rmSync(file.socketPath, { force: true });
    killGroup(groups?.open(file.id));
    groups?.remove(file.id);
  };

  return {
    start: async (identity, launch, probes, onChange) => {
      const group = makeGroup(options, identity.id, launch);
      const { file, child } = launchProcess(options, identity, launch, group);
      const instance = watch(file, probes, onChange, child);
      void instance.begin();
      return instance;
    },
    adopt: async (probesOf, onChange) => {
      const files = readInstanceFiles(instances).filter((file) => file.endedAtMs === undefined);
      for (const file of files.filter((one) => !isAlive(one))) markGone(options, file);
      const adopted = files.filter(isAlive).map((file) => watch(file, probesOf(file), onChange));
      await Promise.all(adopted.map((instance) => instance.begin()));
      return adopted.filter((instance) => instance.phase !== 'ended');
    },
    tidy: async () => tidy(options, running),
    logs: (endpoint, deployment, tail) => deploymentLogs(instances, endpoint, deployment, tail),
    forget: async (endpoint, deployment) => {
      for (const file of instancesOf(instances, endpoint, deployment)) {
        if (!running.has(file.id)) removeInstanceFolder(instances, file.id);
      }
    },
    close: () => {
      for (const instance of running.values()) instance.release();
      if (running.size === 0) groups?.close();
      running.clear();
      log.debug('local compute closed');
    },
  };
}

/** So that a later controller takes an instance that serves over as one that serves, without a gap for its callers. */
function noteReadiness(instances: string, file: InstanceFile, { phase, readyAtMs }: InstanceHandle): void {
  const serves = phase === 'ready' && readyAtMs !== undefined;
  writeInstanceFile(instances, serves ? { ...file, readyAtMs } : file);
}

function makeInstance(
  parts: { file: InstanceFile; options: LocalComputeOptions; probes: Probes; onChange: OnInstanceChange },
  child: ReturnType<typeof spawnScorer>['child'] | undefined,
): LocalInstance {
  const { file, options, probes, onChange } = parts;
  return new LocalInstance({
    file,
    instances: options.instances,
    child,
    group: options.groups?.open(file.id),
    kernelLimitsMemory: options.groups?.limitsMemory ?? false,
    logBytesMax: options.logBytesMax,
    probes,
    onChange,
    onMemory: (instance, bytes) => metrics.scorerResident.set({ ...labelsOf(file), instance: instance.id }, bytes),
  });
}

function labelsOf(file: InstanceIdentity): { endpoint: string; deployment: string } {
  return { endpoint: file.endpoint, deployment: file.deployment };
}

function makeGroup(options: LocalComputeOptions, id: string, launch: Launch): InstanceGroup | undefined {
  try {
    return options.groups?.create(id, launch.limits);
  } catch (error) {
    const limits = `${launch.limits.cpu} cores, ${mib(launch.limits.memoryMib)}`;
    options.log.warn({ err: error, instance: id, limits }, 'control group cannot be made; the limits are not enforced');
    return undefined;
  }
}

function launchProcess(
  options: LocalComputeOptions,
  identity: InstanceIdentity,
  launch: Launch,
  group: InstanceGroup | undefined,
): { file: InstanceFile; child: ReturnType<typeof spawnScorer>['child'] } {
  const { instances } = options;
  const { id } = identity;
  const socketPath = options.socketOf(id);
  mkdirSync(dirname(socketPath), { recursive: true, mode: 0o700 });
  const file: InstanceFile = {
    id,
    endpoint: identity.endpoint,
    deployment: identity.deployment,
    specDigest: identity.specDigest,
    pid: 0,
    startTicks: 0,
    startedAtMs: Date.now(),
    socketPath,
    limits: launch.limits,
    ...(launch.template.model === undefined ? {} : { modelDigest: launch.template.model.digest }),
  };
  // Before the start, so that the folder is never taken for a half-made one.
  writeInstanceFile(instances, file);
  const spec: InstanceSpec = {
    ...launch.template,
    instanceId: id,
    socketPath,
    instanceDir: instanceFolder(instances, id),
  };
  const { child, identity: processIdentity } = spawnScorer({
    command: options.command,
    spec,
    logFile: logFile(instances, id),
    joinFiles: group?.joinFiles ?? [],
    environment: scorerEnvironment(options.environment, { MOORING_PROCESS_NAME: `scorer-${identity.deployment}` }),
  });
  const started = { ...file, ...processIdentity };
  writeInstanceFile(instances, started);
  return { file: started, child };
}

/** An instance that ended while no controller looked. */
function markGone(options: LocalComputeOptions, file: InstanceFile): void {
  const endReason = 'was gone when the controller came back';
  writeInstanceFile(options.instances, { ...file, endedAtMs: Date.now(), endReason });
  rmSync(file.socketPath, { force: true });
  killGroup(options.groups?.open(file.id));
  options.groups?.remove(file.id);
}

/** What a scorer left behind in its group, such as a Python worker that lost its parent, ends with it. */
function killGroup(group: InstanceGroup | undefined): void {
  for (const pid of group?.processes() ?? []) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone already.
    }
  }
}

function tidy(options: LocalComputeOptions, running: ReadonlyMap<string, unknown>): void {
  const { instances, groups } = options;
  const ended = readInstanceFiles(instances).filter((file) => !running.has(file.id));
  const byDeployment = Map.groupBy(ended, (file) => `${file.endpoint}/${file.deployment}`.toLowerCase());
  for (const files of byDeployment.values()) {
    const surplus = files.toSorted((a, b) => b.startedAtMs - a.startedAtMs).slice(endedKeptMax);
    for (const file of surplus) removeInstanceFolder(instances, file.id);
  }
  for (const id of halfMadeFolders(instances)) if (!running.has(id)) removeInstanceFolder(instances, id);
  for (const id of groups?.ids() ?? []) {
    if (running.has(id)) continue;
    killGroup(groups?.open(id));
    groups?.remove(id);
  }
}
