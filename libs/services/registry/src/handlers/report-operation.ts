import type { ReportOperationRequest, ReportOperationResponse } from '@mooring/contracts/registry';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import { endedDocument, type EndReport } from '../domain/document.ts';
import { readAddress } from '../domain/keys.ts';
import type { RegistryDeps } from '../ports.ts';
import { untilSettled } from '../until-settled.ts';

type Deps = Pick<RegistryDeps, 'resources' | 'clock'>;

/** Reports do not take turns with changes: they ask nothing about other documents, and their write is guarded. */
export function createReportOperation({ resources, clock }: Deps) {
  return async (
    request: ReportOperationRequest,
    { signal }: { signal: AbortSignal },
  ): Promise<ReportOperationResponse> => {
    const { address, problems } = readAddress(request.kind, request.key);
    const status = checkReport(request);
    if (problems.length > 0) return {};
    return untilSettled(signal, async () => {
      const current = await resources.get(address.kind, address.storeKey);
      if (current === undefined || current.document.generation !== request.generation) return {};
      // What has ended stays ended: a report that comes twice says nothing new.
      if (current.document.operation.status !== 'InProgress') return {};
      if (status === 'InProgress') {
        const { generation, step, percentComplete, warnings } = request;
        await resources.report(address.storeKey, { generation, step, percentComplete, warnings });
        return {};
      }
      if (status === 'Succeeded' && current.document.state === 'Deleting') {
        throw new PlatformError(
          'failed_precondition',
          'IS_BEING_DELETED',
          `'${request.key}' is being deleted; a delete ends with FinalizeDelete`,
        );
      }
      const ended = endedDocument(current.document, endReport(request, status, clock.now()));
      return (await resources.write(address.storeKey, ended, current.revision)) === undefined ? undefined : {};
    });
  };
}

type Status = 'InProgress' | EndReport['status'];
const statuses: readonly string[] = ['InProgress', 'Succeeded', 'Failed'] satisfies Status[];

function checkReport({ status, percentComplete, errorCode, errorMessage }: ReportOperationRequest): Status {
  const problems: FieldProblem[] = [];
  if (!statuses.includes(status)) {
    problems.push({ path: 'status', problem: 'is no status', expected: `one of: ${statuses.join(', ')}` });
  }
  if (percentComplete > 100) {
    problems.push({ path: 'percent_complete', problem: `${percentComplete} is too large`, expected: 'at most 100' });
  }
  if (status === 'Failed' && errorCode === '') {
    problems.push({ path: 'error_code', problem: 'is missing', expected: 'what kind of failure it was' });
  }
  if (status === 'Failed' && errorMessage === '') {
    problems.push({ path: 'error_message', problem: 'is missing', expected: 'why it failed' });
  }
  if (problems.length > 0) throw PlatformError.invalid('a report', problems);
  return status as Status;
}

function endReport(request: ReportOperationRequest, status: EndReport['status'], now: Date): EndReport {
  return {
    status,
    warnings: request.warnings,
    at: now.toISOString(),
    ...(status === 'Failed' ? { error: { code: request.errorCode, message: request.errorMessage } } : {}),
  };
}
