import { Operation, Priority } from '@mooring/contracts/scoring';
import type { InstanceSpec, MooringSettings, OnnxRuntimeSpec } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { failedReply, reply, type ModelRuntime, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { createBatcher, type Batcher } from './batcher.ts';
import { cardReply, decodeCall, encodeAnswer, jsonReply, namedAs, timingOf } from './call-codec.ts';
import { configCard, metadataCard, readyCard, statisticsCard, type Named } from './model-card.ts';
import { apiDescription } from './openapi.ts';
import { loadSession, type OnnxSession } from './session.ts';
import { checkInputs, checkOutputs } from './signature.ts';
import { createStatistics } from './statistics.ts';
import { warmUp, whyNotBatched } from './warm-up.ts';

/** Requests that may wait in the runtime, whatever admission before it lets through. */
const queueMax = 4_096;

/** A loaded model: what can be asked of it once `start` has resolved. */
interface Loaded {
  session: OnnxSession;
  batcher: Batcher;
  /** 0 = not batched. */
  batchRowsMax: number;
}

/**
 * Serves an ONNX model without code. `session.run` blocks the thread it is called on, so this belongs in a process of its
 * own. One run at a time; what waits meanwhile shares the next one, if the deployment allows it and the model keeps its
 * rows apart.
 */
export function createOnnxRuntime(spec: InstanceSpec & { runtime: OnnxRuntimeSpec }, log: Logger): ModelRuntime {
  const nowMs = (): number => performance.now();
  const statistics = createStatistics(Date.now);
  const { settings } = spec;
  let loaded: Loaded | undefined;

  async function start(): Promise<void> {
    const from = nowMs();
    const session = await loadSession(spec.runtime.file, spec.threads);
    log.info(`model loaded in ${Math.round(nowMs() - from)} ms`);
    if (session.skippedOutputs.length > 0)
      log.warn(`left out, not tensors: outputs ${session.skippedOutputs.join(', ')}`);
    const warm = await warmUp(session, nowMs);
    if (warm.refused !== undefined)
      log.warn(`the model refused a warm-up with zeros, which says nothing of real input: ${warm.refused}`);
    else log.info(`model warmed up, one run takes ${warm.runUs} us`);
    const batchRowsMax = await batchRows(session, settings, log);
    const batcher = createBatcher({
      run: session.run,
      rowsMax: Math.max(1, batchRowsMax),
      delayUs: settings.batchMaxDelayUs,
      queueMax,
      batchIdPrefix: spec.instanceId,
      nowMs,
      onRun: statistics.ran,
    });
    loaded = { session, batcher, batchRowsMax };
  }

  async function score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    const arrivedMs = nowMs();
    try {
      if (call.operation === Operation.OPERATION_READY)
        return cardReply(call, readyCard(named(call), loaded !== undefined));
      if (loaded === undefined) {
        throw new PlatformError('unavailable', 'MODEL_NOT_READY', 'the model is still being loaded', {
          retryAfterMs: 1000,
        });
      }
      if (call.operation === Operation.OPERATION_SCORE || call.operation === Operation.OPERATION_INFER) {
        return await infer(loaded, call, arrivedMs, signal);
      }
      return describe(loaded, call);
    } catch (thrown) {
      const error = PlatformError.from(thrown);
      if (error.code === 'internal') log.error({ err: error.cause, reason: error.reason }, 'scoring failed');
      return failedReply(error, !neverStarted.has(error.code));
    }
  }

  async function infer(model: Loaded, call: ScoreCall, arrivedMs: number, signal: AbortSignal): Promise<ScoreReply> {
    try {
      const request = decodeCall(call, model.session.signature, settings.maxRequestBytes);
      const outputs = checkOutputs(
        model.session.signature,
        request.outputs.map((output) => output.name),
      );
      checkInputs(model.session.signature, request.inputs);
      const decodedMs = nowMs();
      const answer = await model.batcher.submit({
        inputs: request.inputs,
        outputs,
        deadlineAtMs: call.deadlineMs > 0 ? arrivedMs + call.deadlineMs : Number.POSITIVE_INFINITY,
        yields: call.priority === Priority.PRIORITY_MIRROR,
        signal,
      });
      const answeredMs = nowMs();
      const encoded = encodeAnswer(call, named(call), request, answer.outputs, settings.maxResponseBytes);
      const endMs = nowMs();
      const timing = timingOf(answer, { arrivedMs, decodedMs, answeredMs, endMs });
      statistics.succeeded({ ...timing, rows: answer.rows });
      const { batchId, rows } = answer;
      return reply({ ...encoded, status: 200, timing, batchId, batchRows: answer.batchRows, rows });
    } catch (thrown) {
      statistics.failed(Math.round((nowMs() - arrivedMs) * 1000));
      throw thrown;
    }
  }

  function describe(model: Loaded, call: ScoreCall): ScoreReply {
    const { signature } = model.session;
    switch (call.operation) {
      case Operation.OPERATION_METADATA:
        return cardReply(call, metadataCard(named(call), signature));
      case Operation.OPERATION_CONFIG:
        return cardReply(
          call,
          configCard(named(call), signature, { rowsMax: model.batchRowsMax, delayUs: settings.batchMaxDelayUs }),
        );
      case Operation.OPERATION_STATISTICS:
        return cardReply(call, statisticsCard(named(call), statistics.read()));
      case Operation.OPERATION_SWAGGER:
        return jsonReply(apiDescription(signature, `${spec.endpoint}/${spec.deployment}`, call.query));
      default:
        throw new PlatformError(
          'unimplemented',
          'OPERATION_UNKNOWN',
          `operation ${call.operation} is not one of an ONNX model`,
        );
    }
  }

  const named = (call: ScoreCall): Named => namedAs(call, spec);

  return {
    wantsHeaders: false,
    start,
    ready: () => loaded !== undefined,
    score,
    stop: async (signal) => {
      const model = loaded;
      if (model === undefined) return;
      const given = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      if (!signal.aborted) await Promise.race([model.batcher.idle(), given]);
      loaded = undefined;
      await model.session.release();
    },
  };
}

/** The model has not seen the call, so another instance may take it. */
const neverStarted: ReadonlySet<string> = new Set([
  'unavailable',
  'resource_exhausted',
  'deadline_exceeded',
  'cancelled',
]);

/** Rows that one run may have by the deployment's settings and the model's nature; 0 = requests never share a run. */
async function batchRows(session: OnnxSession, settings: MooringSettings, log: Logger): Promise<number> {
  if (settings.batchMaxRows <= 1) return 0;
  const why = await whyNotBatched(session);
  if (why === undefined) {
    log.info(
      `requests share runs of up to ${settings.batchMaxRows} rows, waiting at most ${settings.batchMaxDelayUs} us`,
    );
    return settings.batchMaxRows;
  }
  log.warn(`batching is set, but requests to this model cannot share a run: ${why}`);
  return 0;
}
