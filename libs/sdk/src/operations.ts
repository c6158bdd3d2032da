import { setTimeout as delay } from 'node:timers/promises';
import { PlatformError } from '@mooring/errors';
import { asObject, retryAfterOf, textOf } from './arm-error.ts';
import type { Answer, Http } from './http.ts';

/** What a long-running operation is doing, for people. */
export interface Step {
  step: string;
  percentComplete?: number;
}

export interface WaitOptions {
  /** Called whenever the step changes. */
  onStep?: ((step: Step) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** How long the whole operation may take; default one hour: a large Python environment is slow to build. */
  operationDeadlineMs?: number | undefined;
}

const operationDeadlineMs = 60 * 60 * 1000;
/** A restart of the control process takes seconds; beyond this the platform counts as gone. */
const unavailableMaxMs = 120_000;
const pollDefaultMs = 1_000;
const pollLeastMs = 100;
const pollMostMs = 10_000;

const ended = new Set(['succeeded', 'failed', 'canceled', 'cancelled']);

/**
 * Waits until the operation that `answer` began has ended (azureml-contract 3.2): by `Azure-AsyncOperation`, else by
 * the resource's own provisioning state. Resolves when it succeeded; rejects with the operation's error.
 */
export async function waitForOperation(
  http: Http,
  answer: Answer,
  resourcePath: string,
  options: WaitOptions,
): Promise<void> {
  const address = answer.headers.get('azure-asyncoperation');
  if (address === null && stateOf(answer.body).ended) return throwIfFailed(stateOf(answer.body));
  if (address === null && answer.status === 204) return;
  const path = address === null ? resourcePath : http.pathOf(address);
  const endsAt = Date.now() + (options.operationDeadlineMs ?? operationDeadlineMs);
  let waitMs = pollMs(answer.headers);
  let reachedAt = Date.now();
  let shown = '';
  while (Date.now() < endsAt) {
    await pause(waitMs, options.signal);
    const polled = await http.send({ method: 'GET', path, signal: options.signal }).catch((thrown: unknown) => {
      const error = PlatformError.from(thrown);
      // A deleted resource without an operation to ask is what a delete was for.
      if (address === null && error.code === 'not_found') return 'gone' as const;
      const passing = error.code === 'unavailable' || error.code === 'deadline_exceeded';
      if (passing && Date.now() - reachedAt < unavailableMaxMs) return undefined;
      throw error;
    });
    if (polled === 'gone') return;
    if (polled === undefined) continue;
    reachedAt = Date.now();
    waitMs = pollMs(polled.headers);
    const state = stateOf(polled.body);
    if (state.ended) return throwIfFailed(state);
    const text = `${state.step} ${state.percentComplete ?? ''}`;
    // Without a step of its own an operation only says that it goes on; the step before says more.
    if (text !== shown && !/^inprogress $/i.test(text))
      options.onStep?.({
        step: state.step,
        ...(state.percentComplete === undefined ? {} : { percentComplete: state.percentComplete }),
      });
    shown = text;
  }
  throw new PlatformError(
    'deadline_exceeded',
    'OPERATION_TIMEOUT',
    'the operation goes on, but took longer than this client waits',
  );
}

interface State {
  status: string;
  ended: boolean;
  step: string;
  percentComplete: number | undefined;
  error: { code: string | undefined; message: string | undefined };
}

function stateOf(body: unknown): State {
  const operation = asObject(body);
  const properties = asObject(operation['properties']);
  const status = textOf(operation['status']) ?? textOf(properties['provisioningState']) ?? 'InProgress';
  const percent = operation['percentComplete'];
  // A resource polled for want of an operation says it in our own part of its properties.
  const more = asObject(properties['mooring']);
  const error = asObject(operation['error'] ?? more['error']);
  return {
    status,
    ended: ended.has(status.toLowerCase()),
    step: textOf(operation['step']) ?? textOf(properties['step']) ?? textOf(more['step']) ?? status,
    percentComplete: typeof percent === 'number' ? percent : undefined,
    error: { code: textOf(error['code']), message: textOf(error['message']) },
  };
}

function throwIfFailed(state: State): void {
  const status = state.status.toLowerCase();
  if (status === 'succeeded') return;
  if (status === 'failed') {
    const message = state.error.message ?? 'the operation failed; its logs may say why';
    throw new PlatformError('failed_precondition', state.error.code ?? 'OPERATION_FAILED', message);
  }
  const message = state.error.message ?? 'the operation was superseded by a newer change';
  throw new PlatformError('aborted', state.error.code ?? 'OPERATION_CANCELED', message);
}

function pollMs(headers: Headers): number {
  const asked = retryAfterOf(headers) ?? pollDefaultMs;
  return Math.min(Math.max(asked, pollLeastMs), pollMostMs);
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (thrown) {
    const message = 'No longer waiting; the operation itself goes on.';
    throw new PlatformError('cancelled', 'CANCELLED', message, { cause: thrown });
  }
}
