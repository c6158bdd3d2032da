import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { InlineModel } from '@mooring/domain';
import type { ScoringPort } from '@mooring/scoring-stream';
import type { Logger } from 'pino';
import { inThisThread } from './engine.ts';
import { createModelPort } from './model-port.ts';
import { loadSession } from './session.ts';
import { inlineFileBytesMax } from './placement/why-not-inline.ts';
import { warmUp } from './warm-up.ts';

export interface InlineModelOptions {
  /** Names runs of this process. */
  instanceId: string;
  endpoint: string;
  deployment: string;
  model: InlineModel;
}

export interface LoadedInlineModel extends ScoringPort {
  /** Refuses what comes later; what waits is still run. */
  close(): Promise<void>;
  /** How long the event loop stood still to load it. */
  readonly blockedMs: number;
}

/**
 * Loads a model that its scorer found fit for it into this process, warm. Blocks the event loop for a millisecond or two.
 * Rejects when the file is not what the scorer measured, or cannot be loaded.
 */
export async function loadInlineModel(options: InlineModelOptions, log: Logger): Promise<LoadedInlineModel> {
  const { model } = options;
  const bytes = await readFile(model.file);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  if (bytes.length > inlineFileBytesMax || sha256 !== model.sha256) {
    throw new Error(`${model.file} is not the file that was measured`);
  }
  const nowMs = (): number => performance.now();
  const from = nowMs();
  // From its bytes: what is loaded is what was looked at, and nothing else can be pulled in from beside the file.
  const session = loadSession(bytes, 1);
  const warm = warmUp(session, nowMs);
  if (warm.refused !== undefined) {
    session.release();
    throw new Error(`the model refuses a trial run here: ${warm.refused}`);
  }
  const limits = { maxRequestBytes: model.maxRequestBytes, maxResponseBytes: model.maxResponseBytes };
  const port = createModelPort({ ...options, limits, rowsMax: model.rowsMax }, log, nowMs);
  const { batchRowsMax, batchMaxDelayUs } = model;
  const engine = inThisThread(session);
  if (batchRowsMax > 1) port.serve({ engine, batchRowsMax, batchMaxDelayUs });
  else port.serveAtOnce(engine);
  return {
    score: port.score,
    ...(port.scoreAtOnce === undefined ? {} : { scoreAtOnce: port.scoreAtOnce }),
    close: () => port.stop(AbortSignal.timeout(closeMs)),
    blockedMs: nowMs() - from,
  };
}

const closeMs = 5_000;
