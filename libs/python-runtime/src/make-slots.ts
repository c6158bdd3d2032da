import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import type { InstanceSpec, PythonRuntimeSpec } from '@mooring/domain';
import type { Logger } from 'pino';
import { workerEnvironment } from './worker-environment.ts';
import { WorkerProcess } from './worker-process.ts';
import { WorkerSlot, type SlotEvents } from './worker-slot.ts';

export type PythonInstanceSpec = InstanceSpec & { runtime: PythonRuntimeSpec };

/** Room in a frame beyond the largest answer: failures are sentences. */
const failureBytesMax = 64 * 1024;

/** The empty places of a deployment's workers, each of which knows how to start one. */
export function makeSlots(
  spec: PythonInstanceSpec,
  log: Logger,
  options: { out?: Writable; initTimeoutMs?: number },
  events: SlotEvents,
): WorkerSlot[] {
  const { runtime, settings } = spec;
  const tempDir = join(spec.instanceDir, 'tmp');
  mkdirSync(tempDir, { recursive: true, mode: 0o700 });
  const common = {
    interpreter: runtime.interpreter,
    codeDir: runtime.codeDir,
    environment: workerEnvironment(spec, tempDir),
    bodyBytesMax: settings.maxResponseBytes + failureBytesMax,
    out: options.out ?? process.stdout,
  };
  const loadSpec = {
    type: 'load',
    codeDir: runtime.codeDir,
    scoringScript: runtime.scoringScript,
    maxResponseBytes: settings.maxResponseBytes,
    watchMemory: settings.memoryMib !== undefined,
  };
  return Array.from({ length: Math.max(1, runtime.workerCount) }, (_, index) => {
    const spawn = (
      handlers: Pick<ConstructorParameters<typeof WorkerProcess>[0], 'onFrame' | 'onEnd'>,
    ): WorkerProcess => new WorkerProcess({ ...common, ...handlers });
    return new WorkerSlot({ index, log, loadSpec, initTimeoutMs: options.initTimeoutMs, spawn }, events);
  });
}
