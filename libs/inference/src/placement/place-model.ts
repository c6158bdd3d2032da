import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { InlineModel, InstanceSpec, ModelPlacement, MooringSettings, OnnxRuntimeSpec } from '@mooring/domain';
import type { Logger } from 'pino';
import { inThisThread, inThreads, type Engine, type ThisThread } from '../engine.ts';
import { loadSession, type OnnxSession } from '../session.ts';
import { batchesExactly, rowsWithin, sharingSaves, warmUp, whyNotBatched, type WarmUpResult } from '../warm-up.ts';
import { choosePlacement, threadsRunUsMin } from './choose-placement.ts';
import { readModelGraph } from './model-graph.ts';
import { inlineFileBytesMax, whyNotInline } from './why-not-inline.ts';

export type OnnxSpec = Pick<InstanceSpec, 'instanceId' | 'endpoint' | 'deployment' | 'settings' | 'threads'> & {
  runtime: OnnxRuntimeSpec;
};

export interface PlacedModel {
  engine: Engine;
  /** The same engine where each request may run as soon as it is read. */
  atOnce?: ThisThread;
  placement: ModelPlacement;
  /** 0 = requests never share a run. */
  batchRowsMax: number;
  batchMaxDelayUs: number;
}

/** A run of a data-plane process may take this long: what comes meanwhile waits for it. */
const inlineRunMsMax = 1;
/** Rows that requests bring together by themselves, where nobody said otherwise. */
const inlineBatchRowsMax = 64;

/**
 * The same on threads: enough that most of what a run of its own costs a request is saved, few enough that nobody waits long for
 * a run that others fill.
 */
const threadsBatchRowsMax = 4;
/** Of longer runs what a request costs beside its run is a small part, and trying would delay the start. */
const sharedRunUsMax = 10_000;

/** Queueing such a run would cost more than the run; only where no input makes it longer. */
const atOnceRunUsMax = 100;

/** Loads a model, measures it and decides where it runs. Rejects with ModelLoadError. */
export async function placeModel(spec: OnnxSpec, log: Logger, nowMs: () => number): Promise<PlacedModel> {
  const { settings, runtime, threads } = spec;
  const from = nowMs();
  const session = loadSession(runtime.file, 1);
  log.info(`model loaded in ${Math.round(nowMs() - from)} ms`);
  if (session.skippedOutputs.length > 0)
    log.warn(`left out, not tensors: outputs ${session.skippedOutputs.join(', ')}`);
  const warm = warmUp(session, nowMs);
  tellWarmUp(warm, log);
  const unsafe = unsafeInline(runtime.file, session);
  const choice = choosePlacement(settings.placement ?? 'auto', { runUs: warm.runUs, unsafe });
  log.info(`placement ${choice.chosen}: ${choice.why}`);
  const batchRowsMax = batchRows(session, settings, log);
  const inline = choice.chosen === 'inline' ? inlineModel(spec, session, batchRowsMax, nowMs) : undefined;
  const placement: ModelPlacement = { ...choice, runUs: warm.runUs, ...(inline === undefined ? {} : { inline }) };
  const { batchMaxDelayUs } = settings;
  if (!onThreads(choice.chosen, warm.runUs, threads)) {
    const own = inThisThread(session);
    const brief = batchRowsMax === 0 && unsafe === undefined && warm.runUs > 0 && warm.runUs <= atOnceRunUsMax;
    return { engine: own, placement, batchRowsMax, batchMaxDelayUs, ...(brief ? { atOnce: own } : {}) };
  }
  const unasked = settings.batchSet !== true && sharesUnasked(session, warm.runUs, nowMs, log);
  const engine = await inThreads(session, { file: runtime.file, threads, log });
  if (unasked) return { engine, placement, batchRowsMax: threadsBatchRowsMax, batchMaxDelayUs: 0 };
  return { engine, placement, batchRowsMax, batchMaxDelayUs };
}

/** Whether requests that wait anyway may share a run though nobody asked for it: no answer changes, and no row costs more. */
function sharesUnasked(session: OnnxSession, runUs: number, nowMs: () => number, log: Logger): boolean {
  if (runUs === 0 || runUs > sharedRunUsMax || whyNotBatched(session) !== undefined) return false;
  if (!batchesExactly(session, threadsBatchRowsMax)) return false;
  if (!sharingSaves(session, threadsBatchRowsMax, runUs, nowMs)) return false;
  log.info(`requests that wait share runs of up to ${threadsBatchRowsMax} rows: each row's answer stays the same`);
  return true;
}

/** In a process of its own, too, long runs are made on threads where it has more cores than one: its main thread is only one. */
function onThreads(chosen: ModelPlacement['chosen'], runUs: number, threads: number): boolean {
  return chosen === 'threads' || (chosen === 'process' && threads > 1 && (runUs === 0 || runUs > threadsRunUsMin));
}

function tellWarmUp(warm: WarmUpResult, log: Logger): void {
  if (warm.refused === undefined) log.info(`model warmed up, one run takes ${warm.runUs} us`);
  else log.warn(`the model refused a warm-up with zeros, which says nothing of real input: ${warm.refused}`);
}

function unsafeInline(file: string, session: OnnxSession): string | undefined {
  const { size } = statSync(file);
  if (size > inlineFileBytesMax) return `its file has ${size} bytes, more than ${inlineFileBytesMax}`;
  try {
    return whyNotInline(size, session.signature, readModelGraph(readFileSync(file)));
  } catch {
    return 'its operators cannot be read';
  }
}

function inlineModel(spec: OnnxSpec, session: OnnxSession, batchRowsMax: number, nowMs: () => number): InlineModel {
  const { settings, runtime } = spec;
  const rowsMax = rowsWithin(session, inlineRunMsMax, nowMs);
  const own = Math.min(inlineBatchRowsMax, rowsMax);
  const exact = settings.batchSet !== true && whyNotBatched(session) === undefined && batchesExactly(session, own);
  return {
    file: runtime.file,
    sha256: createHash('sha256').update(readFileSync(runtime.file)).digest('hex'),
    rowsMax,
    batchRowsMax: settings.batchSet === true ? Math.min(batchRowsMax, rowsMax) : exact ? own : 0,
    batchMaxDelayUs: settings.batchMaxDelayUs,
    maxRequestBytes: settings.maxRequestBytes,
    maxResponseBytes: settings.maxResponseBytes,
  };
}

/** Rows that one run may have by the deployment's settings and the model's nature; 0 = requests never share a run. */
function batchRows(session: OnnxSession, settings: MooringSettings, log: Logger): number {
  if (settings.batchMaxRows <= 1) return 0;
  const why = whyNotBatched(session);
  if (why === undefined) {
    log.info(
      `requests share runs of up to ${settings.batchMaxRows} rows, waiting at most ${settings.batchMaxDelayUs} us`,
    );
    return settings.batchMaxRows;
  }
  log.warn(`batching is set, but requests to this model cannot share a run: ${why}`);
  return 0;
}
