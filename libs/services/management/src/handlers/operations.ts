import { PlatformError } from '@mooring/errors';
import { ok, type Call, type Handler } from '../http/call.ts';
import type { ManagementPorts } from '../ports.ts';
import { doneMark } from './endpoints.ts';
import { operationAddress } from './resource.ts';

function idOf({ params }: Call): string {
  return params['operation'] ?? '';
}

/** azureml-contract 3.2: what `Azure-AsyncOperation` names. */
export function createOperationStatus({ registry }: ManagementPorts): Handler {
  return async (call) => {
    const name = idOf(call);
    if (name.startsWith(doneMark)) return ok({ id: call.path, name, status: 'Succeeded', percentComplete: 100 });
    const operation = await registry.operation(name);
    const { status, startedAt, endedAt, step, percentComplete, error } = operation;
    const body = {
      id: call.path,
      name,
      status,
      startTime: startedAt,
      ...(endedAt === undefined ? {} : { endTime: endedAt }),
      ...(percentComplete === undefined ? {} : { percentComplete }),
      ...(step === undefined ? {} : { step }),
      ...(error === undefined ? {} : { error }),
    };
    return ok(body, status === 'InProgress' ? { 'retry-after': '1' } : {});
  };
}

/** What `Location` names: 202 while it goes on, 204 when it has succeeded, its error when it has not. */
export function createOperationResult({ registry }: ManagementPorts): Handler {
  return async (call) => {
    const id = idOf(call);
    if (id.startsWith(doneMark)) return { status: 204 };
    const { status, error } = await registry.operation(id);
    if (status === 'Succeeded') return { status: 204 };
    if (status === 'InProgress') {
      return { status: 202, headers: { location: operationAddress(call, 'Results', id), 'retry-after': '1' } };
    }
    if (status === 'Canceled') {
      throw new PlatformError('aborted', 'OPERATION_CANCELED', 'the operation was superseded by a newer change');
    }
    const message = error?.message ?? 'the operation failed; the logs may say why';
    throw new PlatformError('failed_precondition', error?.code ?? 'OPERATION_FAILED', message);
  };
}
