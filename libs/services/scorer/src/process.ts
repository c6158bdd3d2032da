import { writeSync } from 'node:fs';
import type { InstanceSpec } from '@mooring/domain';
import { readLogLevel, type Environment } from '@mooring/config';
import { countExternalMemoryWithHeap, letHeapGrow } from '@mooring/runtime';
import type { ModelRuntime } from '@mooring/scoring-stream';
import { startTracing } from '@mooring/telemetry';
import type { Logger } from 'pino';
import { instanceLog } from './instance-log.ts';
import { readSpec } from './read-spec.ts';
import { startScorer, type Scorer } from './scorer.ts';
import { writeStatus } from './status-file.ts';

const stderr = 2;
/** Added to the request timeout when this process is asked to end: what is open may take that long. */
const stopMarginMs = 2_000;

/**
 * The whole life of a scorer process: reads its InstanceSpec from standard input, serves until SIGTERM or until nobody
 * looks after it any more, drains, and resolves with the exit code. 0 = asked to end, 1 = the model cannot be served,
 * 2 = no usable specification or settings.
 */
export async function runScorerProcess(environment: Environment): Promise<number> {
  countExternalMemoryWithHeap();
  letHeapGrow();
  let level: string;
  try {
    level = readLogLevel(environment);
  } catch (error) {
    writeSync(stderr, `${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  }
  const log = instanceLog(writeLine, level);
  const asked = stopAsked();
  process.on('unhandledRejection', (reason) => log.error({ err: reason }, 'unhandled rejection'));
  let spec: InstanceSpec;
  try {
    spec = await readSpec(process.stdin);
  } catch (error) {
    log.error(`cannot start: ${error instanceof Error ? error.message : String(error)}`);
    return 2;
  }
  try {
    return await serve(spec, environment, log, asked);
  } catch (thrown) {
    // Such as a socket that cannot be bound: the probe would only see that nobody answers.
    const message = `cannot start: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
    log.error({ err: thrown }, 'cannot start');
    writeStatus(spec.instanceDir, { state: 'failed', code: 'InternalServerError', message, permanent: false });
    return 1;
  }
}

async function serve(
  spec: InstanceSpec,
  environment: Environment,
  log: Logger,
  asked: Promise<string>,
): Promise<number> {
  const tracing = await startTracing('scorer', environment);
  const runtime = await runtimeOf(spec, log);
  const scorer = await startScorer({ spec, runtime, tracing, log, nowMs: () => performance.now() });
  const orphaned = scorer.orphaned.then(() => 'nobody has looked after this instance for too long');
  const failed = scorer.loaded.then((status) => (status.state === 'failed' ? 'failed' : new Promise<never>(() => {})));
  const why = await Promise.race([asked, orphaned, failed]);
  if (why !== 'failed') log.info(`stopping: ${why}`);
  await stopWithin(scorer, spec.requestSettings.requestTimeoutMs + stopMarginMs, log);
  await tracing.shutdown().catch(() => {});
  return why === 'failed' ? 1 : 0;
}

/** A full disk must not end an instance; what cannot be said is lost then. */
function writeLine(line: string): void {
  try {
    writeSync(stderr, line);
  } catch {
    // Nobody could be told.
  }
}

/** Loaded only when needed: an ONNX instance starts without the Python part, and the other way round. */
async function runtimeOf(spec: InstanceSpec, log: Logger): Promise<ModelRuntime> {
  const { runtime } = spec;
  if (runtime.kind === 'onnx') {
    const { createOnnxRuntime } = await import('@mooring/inference');
    return createOnnxRuntime({ ...spec, runtime }, log);
  }
  const { createPythonRuntime } = await import('@mooring/python-runtime');
  return createPythonRuntime(spec, log);
}

async function stopWithin(scorer: Scorer, withinMs: number, log: Logger): Promise<void> {
  try {
    await scorer.stop(AbortSignal.timeout(withinMs));
  } catch (error) {
    log.error({ err: error }, 'stopping failed');
  }
}

function stopAsked(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
  });
}
