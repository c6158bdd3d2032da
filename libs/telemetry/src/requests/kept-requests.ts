import type { FoundRequests, RequestRecord } from '@mooring/domain';
import type { Decided, EndedRequest } from './ended-request.ts';
import { RequestRing } from './request-ring.ts';

export interface KeptRequestsLimits {
  /** Requests that went well. */
  kept: number;
  /** Requests that failed; and as many of callers that were not let in. */
  failedKept: number;
}

/** An id is found at most this often: callers may give the same one to many requests. */
const foundMax = 20;

/**
 * The requests that this process answered last, to be explained when somebody asks. What went well never pushes out what
 * failed, and callers that were not let in push out neither.
 */
export class KeptRequests {
  readonly #answered: RequestRing;
  readonly #failed: RequestRing;
  readonly #turnedAway: RequestRing;

  constructor({ kept, failedKept }: KeptRequestsLimits) {
    this.#answered = new RequestRing(kept);
    this.#failed = new RequestRing(failedKept);
    this.#turnedAway = new RequestRing(failedKept);
  }

  answered(request: EndedRequest, decided: Decided | undefined): void {
    this.#answered.put(request, decided);
  }

  failed(request: EndedRequest, decided: Decided | undefined): void {
    this.#failed.put(request, decided);
  }

  /** Refused before it was known who asks. */
  turnedAway(request: EndedRequest): void {
    this.#turnedAway.put(request, undefined);
  }

  /** Looks through all of them: asking is rare, and answering requests is not. */
  find(id: string, process: string): FoundRequests {
    const found: RequestRecord[] = [];
    for (const ring of [this.#answered, this.#failed, this.#turnedAway]) {
      const own: RequestRecord[] = [];
      ring.find(id, foundMax, process, own);
      found.push(...own);
    }
    found.sort((a, b) => b.at.localeCompare(a.at));
    return {
      process,
      answered: this.#answered.kept,
      failed: this.#failed.kept,
      turnedAway: this.#turnedAway.kept,
      found: found.slice(0, foundMax),
    };
  }
}
