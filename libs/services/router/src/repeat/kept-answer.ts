import type { StoredAnswerRecord } from '@mooring/domain';
import { reply, type ScoreReply } from '@mooring/scoring-stream';

/** What an entry takes beside its body, roughly: the objects, the key, the header texts. */
const entryBytes = 1_024;

/** How the model itself answers; everything else says of a request only that it was not answered now. */
const finalErrors: ReadonlySet<string> = new Set([
  'model_failed',
  'invalid_argument',
  'too_large',
  'unsupported_media',
  'unimplemented',
  'failed_precondition',
]);

/** True when the model answered, with success or not, and would have to run again to say it again. */
export function isFinal(answer: ScoreReply): boolean {
  return answer.errorCode === '' || (answer.started && finalErrors.has(answer.errorCode));
}

export function isSuccess({ errorCode, status }: ScoreReply): boolean {
  return errorCode === '' && (status === 0 || (status >= 200 && status < 300));
}

/** What keeping the answer takes. */
export function keptBytes({ body, headers }: ScoreReply): number {
  return headers.reduce((sum, { name, value }) => sum + name.length + value.length, entryBytes + body.length);
}

/**
 * The answer without what was only true of its own request. Its bytes are copied: the body that came in is a view of the
 * whole message that it shared with others.
 */
export function keptAnswer(answer: ScoreReply): ScoreReply {
  const body = Buffer.allocUnsafeSlow(answer.body.length);
  answer.body.copy(body);
  return reply({ ...lasting(answer), headers: answer.headers, started: answer.started, body });
}

export function recordOf(kept: ScoreReply): StoredAnswerRecord {
  return { ...lasting(kept), headers: kept.headers, bodyBase64: kept.body.toString('base64') };
}

export function answerOf({ bodyBase64, headers, ...fields }: StoredAnswerRecord): ScoreReply {
  return reply({ ...fields, headers: [...headers], started: true, body: Buffer.from(bodyBase64, 'base64') });
}

type Lasting = Omit<StoredAnswerRecord, 'headers' | 'bodyBase64'>;

/** What stays true of an answer when another request gets it. */
function lasting(answer: ScoreReply): Lasting {
  return {
    status: answer.status,
    contentType: answer.contentType,
    inferenceHeaderLengthPlusOne: answer.inferenceHeaderLengthPlusOne,
    deployment: answer.deployment,
    instanceId: answer.instanceId,
    modelDigest: answer.modelDigest,
    pick: answer.pick,
    errorCode: answer.errorCode,
    errorReason: answer.errorReason,
    errorMessage: answer.errorMessage,
  };
}
