import { isRequestId, refusal, requestIdRule } from '@mooring/domain';
import { explained, mergeFound, notKept } from '../domain/explained-request.ts';
import { ok, type Handler } from '../http/call.ts';
import type { ManagementPorts } from '../ports.ts';

/**
 * The requests of an id, newest first: a request's own id is one request's, but callers may give theirs to many. Throws
 * REQUEST_NOT_KEPT.
 */
export function createExplainRequest({ state }: ManagementPorts): Handler {
  return async ({ params }) => {
    const id = params['request'] ?? '';
    if (!isRequestId(id)) {
      throw refusal('request', [{ path: 'id', problem: 'is no id of a request', expected: requestIdRule }]);
    }
    const answers = await state.findRequests(id);
    const records = mergeFound(answers);
    if (records.length === 0) throw notKept(id, answers);
    const value = records.map(async (record) =>
      explained(record, record.mirrored.length === 0 ? [] : await state.mirrorReports(record.endpoint.toLowerCase())),
    );
    return ok({ value: await Promise.all(value) });
  };
}
