import type { FoundRequests } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Nats } from '@mooring/messaging';
import { requestsSubject } from '@mooring/telemetry';

const processesMax = 64;
/** Asked again with this much more time when nobody knew: a process that is very busy answers late. */
const patience = 5;

/** Asks every process for the requests of an id. Rejects with `unavailable` when none can be asked. */
export async function findRequests(nats: Nats, id: string, waitMs: number): Promise<FoundRequests[]> {
  for (const ms of [waitMs, waitMs * patience]) {
    const answers = await ask(nats, id, ms);
    if (answers.some(({ found }) => found.length > 0) || ms > waitMs) return answers;
  }
  return [];
}

async function ask(nats: Nats, id: string, waitMs: number): Promise<FoundRequests[]> {
  try {
    if (!nats.connected()) throw unreachable();
    const answers = await nats.collect(requestsSubject, { waitMs, max: processesMax, payload: id });
    return answers.flatMap(readAnswer).toSorted((a, b) => a.process.localeCompare(b.process));
  } catch (thrown) {
    throw unreachable(thrown);
  }
}

function unreachable(cause?: unknown): PlatformError {
  return new PlatformError(
    'unavailable',
    'STATE_STORE_UNAVAILABLE',
    'the processes that answer requests cannot be asked: NATS is away. Try again shortly',
    { retryAfterMs: 1_000, ...(cause === undefined ? {} : { cause }) },
  );
}

function readAnswer(text: string): FoundRequests[] {
  try {
    const answer = JSON.parse(text) as Partial<FoundRequests>;
    return typeof answer.process === 'string' && Array.isArray(answer.found) ? [answer as FoundRequests] : [];
  } catch {
    return [];
  }
}
