import type { Timing } from '@mooring/contracts/scoring';
import { reply, type ScoreReply } from '@mooring/scoring-stream';
import type { Frame } from './frames.ts';
import type { OpenCall } from './open-call.ts';

/** The meta part of a worker's reply frame; made by mooring_worker/worker.py. */
interface ReplyMeta {
  status: number;
  contentType: string;
  headers: [string, string][];
  /** Set when the worker itself refused the script's answer. */
  reason: string;
  message: string;
  preprocessUs: number;
  computeUs: number;
  postprocessUs: number;
}

/** What a worker said as the reply to `open`. A status other than 2xx is a failure of the model that passes on whole. */
export function workerReply(open: OpenCall, frame: Frame, nowMs: number): ScoreReply {
  const meta = frame.meta as unknown as ReplyMeta;
  const headers = meta.headers.map(([name, value]) => ({ name, value }));
  if (meta.reason === '') headers.push({ name: 'x-ms-run-fn-exec-ms', value: (meta.computeUs / 1000).toFixed(3) });
  const failed = meta.status < 200 || meta.status > 299;
  return reply({
    status: meta.status,
    contentType: meta.contentType,
    headers,
    body: frame.body,
    timing: timingOf(open, meta, nowMs),
    ...(failed ? failureOf(meta) : {}),
  });
}

function failureOf(meta: ReplyMeta): Partial<ScoreReply> {
  return {
    errorCode: 'model_failed',
    errorReason: meta.reason === '' ? 'MODEL_STATUS' : meta.reason,
    errorMessage: meta.message === '' ? `the scoring script answered with status ${meta.status}` : meta.message,
  };
}

/** Whole microseconds that add up. Carrying body and answer between the processes counts as preprocessing. */
function timingOf(open: OpenCall, meta: ReplyMeta, nowMs: number): Timing {
  const totalUs = Math.max(0, Math.round((nowMs - open.arrivedMs) * 1000));
  const queueUs = Math.min(totalUs, Math.round(((open.startedMs ?? nowMs) - open.arrivedMs) * 1000));
  const computeUs = Math.min(totalUs - queueUs, meta.computeUs);
  const postprocessUs = Math.min(totalUs - queueUs - computeUs, meta.postprocessUs);
  const preprocessUs = totalUs - queueUs - computeUs - postprocessUs;
  return { totalUs, queueUs, batchWaitUs: 0, preprocessUs, computeUs, postprocessUs };
}
