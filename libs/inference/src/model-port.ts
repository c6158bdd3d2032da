import { Operation } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import {
  emptyReply,
  failedReply,
  rankOf,
  type ScoreCall,
  type ScoreReply,
  type ScoringPort,
} from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { createAtOnce, cancelled, createBatcher, type AtOnce, type Batcher, type RunAnswer } from './batcher.ts';
import { cardReply, decodeCall, encodeAnswer, namedAs, timingOf } from './call-codec.ts';
import type { InferRequest } from './codec/infer-request.ts';
import type { EncodedAnswer } from './codec/oip-rest.ts';
import type { Engine, ThisThread } from './engine.ts';
import { describeModel } from './describe-model.ts';
import { readyCard } from './model-card.ts';
import { checkInputs, checkOutputs, rowsAsked } from './signature.ts';
import { createStatistics } from './statistics.ts';

/** Requests that may wait in the runtime, whatever admission before it lets through. */
const queueMax = 4_096;

export interface ModelPortOptions {
  instanceId: string;
  endpoint: string;
  deployment: string;
  limits: { maxRequestBytes: number; maxResponseBytes: number };
  /** Requests with more rows are refused unseen by the model, with TOO_MANY_ROWS_HERE, so that another instance takes them. */
  rowsMax?: number;
}

export interface ServedModel {
  engine: Engine;
  /** Rows of several requests in one run; 0 = requests never share one. */
  batchRowsMax: number;
  batchMaxDelayUs: number;
}

export interface ModelPort extends ScoringPort {
  /** From now on calls go to this model. */
  serve(model: ServedModel): void;
  /** The same for a model whose runs are so short that each request is run as soon as it is read. */
  serveAtOnce(engine: ThisThread): void;
  ready(): boolean;
  /** Finishes what is open and releases the model; `signal` aborts when it must end at once. */
  stop(signal: AbortSignal): Promise<void>;
}

/** A model behind every protocol: reads and checks calls, runs them together where that is allowed, writes the answers. */
export function createModelPort(options: ModelPortOptions, log: Logger, nowMs: () => number): ModelPort {
  const port = new OpenPort(options, log, nowMs);
  return {
    serve: (model) => port.serve(model),
    serveAtOnce: (engine) => port.serveAtOnce(engine),
    ready: () => port.ready(),
    score: (call, signal) => port.score(call, signal),
    scoreAtOnce: (call, signal) => port.scoreAtOnce(call, signal),
    stop: (signal) => port.stop(signal),
  };
}

type Loaded = ServedModel & { batcher: Batcher | AtOnce };

/** The model has not seen the call, so another instance may take it. */
const neverStarted: ReadonlySet<string> = new Set([
  'unavailable',
  'resource_exhausted',
  'deadline_exceeded',
  'cancelled',
]);

class OpenPort implements ModelPort {
  readonly #options: ModelPortOptions;
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #statistics = createStatistics(Date.now);
  #loaded: Loaded | undefined;

  constructor(options: ModelPortOptions, log: Logger, nowMs: () => number) {
    this.#options = options;
    this.#log = log;
    this.#nowMs = nowMs;
  }

  serve(model: ServedModel): void {
    const { engine, batchRowsMax, batchMaxDelayUs } = model;
    const batcher = createBatcher({
      run: engine.run,
      // A shared run is better made larger than begun early.
      parallel: batchRowsMax > 1 ? engine.parallel : engine.taken,
      rowsMax: Math.max(1, batchRowsMax),
      delayUs: batchMaxDelayUs,
      queueMax,
      batchIdPrefix: this.#options.instanceId,
      nowMs: this.#nowMs,
      onRun: this.#statistics.ran,
    });
    this.#loaded = { engine, batchRowsMax, batchMaxDelayUs, batcher };
  }

  serveAtOnce(engine: ThisThread): void {
    const batcher = createAtOnce({
      run: engine.run,
      batchIdPrefix: this.#options.instanceId,
      nowMs: this.#nowMs,
      onRun: this.#statistics.ran,
    });
    this.#loaded = { engine, batchRowsMax: 0, batchMaxDelayUs: 0, batcher };
  }

  ready(): boolean {
    return this.#loaded?.engine.ready() === true;
  }

  async score(call: ScoreCall, signal: AbortSignal): Promise<ScoreReply> {
    return this.scoreAtOnce(call, signal);
  }

  scoreAtOnce(call: ScoreCall, signal: AbortSignal): ScoreReply | Promise<ScoreReply> {
    const inference = call.operation === Operation.OPERATION_SCORE || call.operation === Operation.OPERATION_INFER;
    if (inference && this.#loaded !== undefined) return this.#infer(this.#loaded, call, signal);
    return this.#tell(call);
  }

  async #tell(call: ScoreCall): Promise<ScoreReply> {
    try {
      if (call.operation === Operation.OPERATION_READY)
        return cardReply(call, readyCard(namedAs(call, this.#options), this.#loaded !== undefined));
      if (this.#loaded !== undefined) return describeModel(this.#loaded, call, this.#options, this.#statistics.read());
      throw new PlatformError('unavailable', 'MODEL_NOT_READY', 'the model is still being loaded', {
        retryAfterMs: 1000,
      });
    } catch (thrown) {
      return this.#failed(thrown);
    }
  }

  #failed(thrown: unknown): ScoreReply {
    const error = PlatformError.from(thrown);
    if (error.code === 'internal') this.#log.error({ err: error.cause, reason: error.reason }, 'scoring failed');
    return failedReply(error, !neverStarted.has(error.code));
  }

  async stop(signal: AbortSignal): Promise<void> {
    const model = this.#loaded;
    if (model === undefined) return;
    const given = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    if (!signal.aborted) await Promise.race([model.batcher.idle(), given]);
    this.#loaded = undefined;
    await model.engine.release(signal);
  }

  #infer(model: Loaded, call: ScoreCall, signal: AbortSignal): ScoreReply | Promise<ScoreReply> {
    const arrivedMs = this.#nowMs();
    try {
      // Reading a large request takes longer than looking whether anybody still wants the answer.
      if (signal.aborted) throw cancelled();
      const { signature } = model.engine;
      const request = decodeCall(call, signature, this.#options.limits.maxRequestBytes);
      const outputs = checkOutputs(signature, request.outputs.length === 0 ? none : request.outputs.map(nameOf));
      checkInputs(signature, request.inputs);
      const { rowsMax } = this.#options;
      if (rowsMax !== undefined && rowsAsked(signature, request.inputs) > rowsMax) return elsewhere(rowsMax);
      const decodedMs = this.#nowMs();
      const answer = model.batcher.submit({
        inputs: request.inputs,
        outputs,
        deadlineAtMs: call.deadlineMs > 0 ? arrivedMs + call.deadlineMs : Number.POSITIVE_INFINITY,
        yields: rankOf(call.priority) > 0,
        signal,
      });
      if (!(answer instanceof Promise)) return this.#answered(call, request, answer, arrivedMs, decodedMs);
      return answer.then(
        (ran) => this.#answered(call, request, ran, arrivedMs, decodedMs),
        (thrown) => this.#refused(thrown, arrivedMs),
      );
    } catch (thrown) {
      return this.#refused(thrown, arrivedMs);
    }
  }

  /** Never throws: an answer that cannot be written is a failure. */
  #answered(
    call: ScoreCall,
    request: InferRequest,
    answer: RunAnswer,
    arrivedMs: number,
    decodedMs: number,
  ): ScoreReply {
    try {
      const answeredMs = this.#nowMs();
      const named = namedAs(call, this.#options);
      const encoded = encodeAnswer(call, named, request, answer.outputs, this.#options.limits.maxResponseBytes);
      const timing = timingOf(answer, { arrivedMs, decodedMs, answeredMs, endMs: this.#nowMs() });
      this.#statistics.succeeded(timing, answer.rows);
      return answerReply(encoded, answer, timing);
    } catch (thrown) {
      return this.#refused(thrown, arrivedMs);
    }
  }

  #refused(thrown: unknown, arrivedMs: number): ScoreReply {
    this.#statistics.failed(Math.round((this.#nowMs() - arrivedMs) * 1000));
    return this.#failed(thrown);
  }
}

function answerReply(encoded: EncodedAnswer, answer: RunAnswer, timing: ScoreReply['timing']): ScoreReply {
  const given = emptyReply();
  given.status = 200;
  given.contentType = encoded.contentType;
  given.inferenceHeaderLengthPlusOne = encoded.inferenceHeaderLengthPlusOne;
  given.body = encoded.body;
  given.timing = timing;
  given.batchId = answer.batchId;
  given.batchRows = answer.batchRows;
  given.rows = answer.rows;
  return given;
}

const none: readonly string[] = [];
const nameOf = ({ name }: { name: string }): string => name;

function elsewhere(rowsMax: number): ScoreReply {
  const message = `requests with more than ${rowsMax} rows are not run here`;
  return failedReply(new PlatformError('unavailable', 'TOO_MANY_ROWS_HERE', message), false);
}
