import type { FoundRequests, MirrorReportRecord, RequestRecord, RequestsKept } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';

/** A request as it is shown: the record, with what is known of its copies. */
export type ExplainedRequest = Omit<RequestRecord, 'mirrored'> & { mirrored: readonly MirroredCopy[] };

export interface MirroredCopy {
  deployment: string;
  /**
   * `within`, `differs` or `failed`; absent when it is not among the last differences that routers noted: it was equal, was
   * dropped, or is not compared yet.
   */
  result?: string;
  /** Where the answers differ first. */
  where?: string;
}

/** An id is shown at most this often. */
const explainedMax = 20;
/** Processes that a message tells of. */
const processesShown = 8;

/** What all processes found, newest first. */
export function mergeFound(answers: readonly FoundRequests[]): RequestRecord[] {
  return answers
    .flatMap(({ found }) => found)
    .toSorted((a, b) => b.at.localeCompare(a.at))
    .slice(0, explainedMax);
}

export function explained(record: RequestRecord, reports: readonly MirrorReportRecord[]): ExplainedRequest {
  const copyOf = (deployment: string): MirroredCopy => {
    const difference = reports
      .filter((report) => report.deployment.toLowerCase() === deployment.toLowerCase())
      .flatMap((report) => report.recentDifferences)
      .find(({ requestId }) => requestId === record.requestId);
    return difference === undefined
      ? { deployment }
      : { deployment, result: difference.result, where: difference.where };
  };
  return { ...record, mirrored: record.mirrored.map(copyOf) };
}

/** Why nothing was found: how much each process still knows, and since when. */
export function notKept(id: string, answers: readonly FoundRequests[]): PlatformError {
  const keepers = answers.filter(
    ({ answered, failed, turnedAway }) => answered.count + failed.count + turnedAway.count,
  );
  const shown = keepers.slice(0, processesShown).map(keptText);
  if (keepers.length > processesShown) shown.push(`and ${keepers.length - processesShown} more processes`);
  const kept = shown.length === 0 ? 'no process has answered a request yet' : `kept are: ${shown.join('; ')}`;
  return new PlatformError(
    'not_found',
    'REQUEST_NOT_KEPT',
    `no request with the id '${id}' is kept; ${kept}. A process that starts again begins anew; ` +
      'MOORING_REQUESTS_KEPT and MOORING_REQUESTS_FAILED_KEPT say how many each keeps',
  );
}

function keptText({ process, answered, failed, turnedAway }: FoundRequests): string {
  const parts = [
    partText(answered, 'answered'),
    partText(failed, 'failed'),
    partText(turnedAway, 'of callers not let in'),
  ];
  return `${process}: ${parts.join(', ')}`;
}

function partText({ count, since }: RequestsKept, what: string): string {
  return since === undefined ? `${count} ${what}` : `${count} ${what} since ${since}`;
}
