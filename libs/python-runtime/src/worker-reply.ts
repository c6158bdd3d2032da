import type { Timing } from '@mooring/contracts/scoring';
import { reply, type ScoreReply } from '@mooring/scoring-stream';
import type { Frame } from './frames.ts';
import type { OpenCall } from './open-call.ts';

/** The meta part of a worker's reply frame; made by mooring_worker/answer.py. */
interface ReplyMeta {
  contentType: string;
  headers: [string, string][];
  /** Set when the worker itself refused the script's answer. */
  reason: string;
  message: string;
}

/** What an answer without a meta part says: JSON of a run that did not fail. */
const plain: ReplyMeta = {
  contentType: 'application/json',
  headers: [['x-ms-run-function-failed', 'False']],
  reason: '',
  message: '',
};

/** What a worker said as the reply to `open`. A status other than 2xx is a failure of the model that passes on whole. */
export function workerReply(open: OpenCall, frame: Frame, nowMs: number): ScoreReply {
  const { status } = frame;
  const meta = frame.meta.length === 0 ? plain : (JSON.parse(frame.meta.toString()) as ReplyMeta);
  const headers = meta.headers.map(([name, value]) => ({ name, value }));
  if (meta.reason === '') headers.push({ name: 'x-ms-run-fn-exec-ms', value: (frame.computeUs / 1000).toFixed(3) });
  const failed = status < 200 || status > 299;
  return reply({
    status,
    contentType: meta.contentType,
    headers,
    body: frame.body,
    timing: timingOf(open, frame, nowMs),
    ...(failed ? failureOf(status, meta) : undefined),
  });
}

function failureOf(status: number, meta: ReplyMeta): Partial<ScoreReply> {
  return {
    errorCode: 'model_failed',
    errorReason: meta.reason === '' ? 'MODEL_STATUS' : meta.reason,
    errorMessage: meta.message === '' ? `the scoring script answered with status ${status}` : meta.message,
  };
}

/** Microseconds that the worker spent on a call. */
export function workUs({ preprocessUs, computeUs, postprocessUs }: Frame): number {
  return preprocessUs + computeUs + postprocessUs;
}

/** Whole microseconds that add up. Carrying body and answer between the processes counts as preprocessing. */
function timingOf(open: OpenCall, frame: Frame, nowMs: number): Timing {
  const totalUs = Math.max(0, Math.round((nowMs - open.arrivedMs) * 1000));
  const startedUs = Math.round(((open.startedMs ?? nowMs) - open.arrivedMs) * 1000);
  // One that waited in the worker began before its predecessor's answer was read here.
  const queueUs = Math.max(0, Math.min(startedUs, totalUs - (open.waitedInWorker ? workUs(frame) : 0)));
  const computeUs = Math.min(totalUs - queueUs, frame.computeUs);
  const postprocessUs = Math.min(totalUs - queueUs - computeUs, frame.postprocessUs);
  const preprocessUs = totalUs - queueUs - computeUs - postprocessUs;
  return { totalUs, queueUs, batchWaitUs: 0, preprocessUs, computeUs, postprocessUs };
}
