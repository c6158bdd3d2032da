import { createHash } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ScoreCall } from '@mooring/scoring-stream';

/** Hashed in one go: about a tenth of a millisecond. Of larger bodies one such piece a turn, so that others are not held up. */
const pieceBytes = 128 * 1024;

/**
 * SHA-256 of what a call asks for: equal calls get equal answers as far as the platform is concerned. Headers are not part of
 * it, but for what decides how the body is read. `where` is what else tells calls apart.
 */
export function callDigest(call: ScoreCall, where: string): string | Promise<string> {
  const { operation, protocol, method, query, contentType, inferenceHeaderLengthPlusOne, modelName, modelVersion } =
    call;
  const asked = [where, operation, protocol, method, query, contentType];
  const hash = createHash('sha256').update(
    JSON.stringify([...asked, inferenceHeaderLengthPlusOne, modelName, modelVersion]),
  );
  if (call.body.length <= pieceBytes) return hash.update(call.body).digest('base64url');
  return (async () => {
    for (let at = 0; at < call.body.length; at += pieceBytes) {
      if (at > 0) await nextTurn();
      hash.update(call.body.subarray(at, at + pieceBytes));
    }
    return hash.digest('base64url');
  })();
}

/**
 * Under what a key is known: two endpoints never share one, nor does one with a deleted one of the same name. Says nothing of
 * the key.
 */
export function keyDigest({ name, createdAt }: { name: string; createdAt: string }, idempotencyKey: string): string {
  return createHash('sha256')
    .update(JSON.stringify([name, createdAt, idempotencyKey]))
    .digest('base64url');
}
