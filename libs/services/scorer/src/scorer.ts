import type { InstanceSpec, InstanceStatus } from '@mooring/domain';
import { startGrpcServer } from '@mooring/rpc';
import {
  ModelLoadError,
  serveScoringStream,
  tracedPort,
  type ModelRuntime,
  type ScoringPort,
} from '@mooring/scoring-stream';
import type { Tracing } from '@mooring/telemetry';
import type { Logger } from 'pino';
import { limitCalls } from './admission.ts';
import { limitsOf } from './limits.ts';
import { watchForOrphan } from './orphan-watch.ts';
import { writeStatus } from './status-file.ts';

export interface ScorerOptions {
  spec: InstanceSpec;
  runtime: ModelRuntime;
  tracing: Tracing;
  log: Logger;
  nowMs: () => number;
}

export interface Scorer {
  /** Resolves with `ready` or `failed` once the model is loaded or cannot be; never rejects. */
  readonly loaded: Promise<InstanceStatus>;
  /** Resolves when nobody has looked after this scorer for `orphanTimeoutMs`. */
  readonly orphaned: Promise<void>;
  /** Tells callers to send nothing new, finishes what is open, ends. `signal` aborts when it must end at once. */
  stop(signal: AbortSignal): Promise<void>;
}

/** Credits beyond the calls in flight, for those that only describe the model and are not counted. */
const descriptionCredits = 16;
/** How long replies that are written may take to leave. */
const flushMs = 500;
const drainLookMs = 10;

/** Serves on the instance's socket, then loads the model: health can say that it lives while it is not ready yet. */
export async function startScorer(options: ScorerOptions): Promise<Scorer> {
  const { spec, runtime, tracing, log, nowMs } = options;
  const limits = { ...limitsOf(spec), capacity: () => runtime.capacity?.() };
  let serving = false;
  let stopping = false;
  const model = tracedPort(runtime, tracing, 'model', spec.instanceId);
  const admission = limitCalls(model, limits, nowMs, (sum) => stream.noteAbandoned(sum));
  const stream = serveScoringStream({
    port: tracedPort(identified(admission, spec), tracing, 'scorer', spec.instanceId),
    credits: limits.inFlight + descriptionCredits,
    wantsHeaders: runtime.wantsHeaders,
    instanceId: spec.instanceId,
    parallel: () => limits.capacity()?.parallel ?? 0,
    log,
  });
  const orphaned = Promise.withResolvers<void>();
  const attended = (): boolean => stream.streams() > 0 || admission.inFlight() > 0;
  const orphanWatch = watchForOrphan(spec.orphanTimeoutMs, attended, () => orphaned.resolve(), nowMs);
  writeStatus(spec.instanceDir, { state: 'loading' });
  const server = await startGrpcServer({
    address: `unix:${spec.socketPath}`,
    services: [stream],
    log,
    ready: () => serving && !stopping && runtime.ready(),
    healthChecks: { liveness: () => true },
    onHealthCheck: orphanWatch.seen,
  });

  const loaded = load(runtime, log).then((status) => {
    serving = status.state === 'ready';
    if (!stopping) writeStatus(spec.instanceDir, status);
    return status;
  });

  return {
    loaded,
    orphaned: orphaned.promise,
    stop: async (signal) => {
      stopping = true;
      orphanWatch.stop();
      stream.drain();
      await untilDrained(() => stream.openCalls() + admission.inFlight(), signal);
      await runtime.stop(signal);
      await server.stop(AbortSignal.any([signal, AbortSignal.timeout(flushMs)]));
    },
  };
}

/** The answer says who gave it. */
function identified(port: ScoringPort, { deployment, instanceId }: InstanceSpec): ScoringPort {
  return { score: async (call, signal) => ({ ...(await port.score(call, signal)), deployment, instanceId }) };
}

async function load(runtime: ModelRuntime, log: Logger): Promise<InstanceStatus> {
  const from = performance.now();
  try {
    await runtime.start();
    log.info(`ready after ${Math.round(performance.now() - from)} ms`);
    const placement = runtime.placement?.();
    return { state: 'ready', ...(placement === undefined ? {} : { placement }) };
  } catch (thrown) {
    const status = failureOf(thrown);
    log.error(`cannot serve: ${status.message}`);
    return status;
  }
}

function failureOf(thrown: unknown): InstanceStatus {
  if (thrown instanceof ModelLoadError) return thrown.status;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return { state: 'failed', code: 'InternalServerError', message, permanent: false };
}

async function untilDrained(open: () => number, signal: AbortSignal): Promise<void> {
  while (open() > 0 && !signal.aborted) await new Promise((resolve) => setTimeout(resolve, drainLookMs));
}
