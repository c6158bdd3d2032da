import { Operation } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import type { Exchange } from '../exchange.ts';
import { jsonAnswer, replyAnswer, type Answer } from '../http/answer.ts';
import { openedEndpoints, type AdmitDeps } from './admit.ts';
import { ask, bodyOf, forward, type ForwardDeps } from './forward.ts';
import type { RequestPlan } from './request-plan.ts';

export interface InfoDeps extends AdmitDeps, ForwardDeps {
  /** True while this process takes requests. */
  ready: () => boolean;
}

/** An index request is a few bytes. */
const indexBytesMax = 64 * 1024;
/** Deployments that are asked at the same time. */
const asksAtOnce = 32;

export function live(): Answer {
  return jsonAnswer({ live: true });
}

export function ready(deps: InfoDeps): Answer {
  const isReady = deps.ready();
  return jsonAnswer({ ready: isReady, live: true }, isReady ? 200 : 503);
}

export function serverMetadata(): Answer {
  return jsonAnswer({
    name: 'mooring',
    version: '0.1.0',
    extensions: ['binary_tensor_data', 'model_configuration', 'model_repository', 'parameters', 'statistics'],
  });
}

/** Whether the endpoint can answer now: any of its deployments that traffic reaches. */
export async function endpointReady(deps: InfoDeps, exchange: Exchange, plan: RequestPlan): Promise<Answer> {
  const reply = await ask(deps, exchange, plan, Operation.OPERATION_READY, exchange.endpoint?.name ?? '', '');
  exchange.marks.answered = performance.now();
  exchange.reply = reply;
  if (reply.errorCode !== '') return replyAnswer(reply, exchange.dialect, exchange.requestId);
  return jsonAnswer({ ready: true, live: true });
}

/** Statistics of one endpoint as they come, or of every endpoint that the key opens as one list. */
export async function statistics(deps: InfoDeps, exchange: Exchange, plan: RequestPlan): Promise<Answer> {
  if (exchange.endpoint !== undefined) return forward(deps, exchange, plan, Operation.OPERATION_STATISTICS);
  const endpoints = openedEndpoints(deps, exchange, plan);
  const replies = await inTurns(endpoints, ({ name }) =>
    ask(deps, exchange, plan, Operation.OPERATION_STATISTICS, name, ''),
  );
  const rows: unknown[] = [];
  for (const reply of replies) {
    // An endpoint without instances has no statistics; that must not hide those of the others.
    if (reply.errorCode === 'unavailable') continue;
    if (reply.errorCode !== '') return replyAnswer(reply, exchange.dialect, exchange.requestId);
    rows.push(...statisticsRows(reply.body));
  }
  return jsonAnswer({ model_stats: rows });
}

function statisticsRows(body: Buffer): unknown[] {
  try {
    const parsed = JSON.parse(body.toString('utf8')) as { model_stats?: unknown };
    if (Array.isArray(parsed.model_stats)) return parsed.model_stats;
  } catch (cause) {
    throw new PlatformError('internal', 'STATISTICS_UNREADABLE', 'the statistics of an instance cannot be read', {
      cause,
    });
  }
  return [];
}

/** Every deployment of every endpoint that the key opens, with its state. */
export async function repositoryIndex(deps: InfoDeps, exchange: Exchange, plan: RequestPlan): Promise<Answer> {
  const endpoints = openedEndpoints(deps, exchange, plan);
  const body = await bodyOf(Math.min(indexBytesMax, deps.bodyBytesMax), exchange);
  const readyOnly = wantsReadyOnly(body);
  const models = endpoints.flatMap(({ name, deployments }) => deployments.map((one) => ({ name, version: one.name })));
  const listed = await inTurns(models, async ({ name, version }) => {
    const { errorCode, errorMessage } = await ask(deps, exchange, plan, Operation.OPERATION_READY, name, version);
    return {
      name,
      version,
      state: errorCode === '' ? 'READY' : 'UNAVAILABLE',
      reason: errorCode === '' ? '' : errorMessage,
    };
  });
  return jsonAnswer(readyOnly ? listed.filter(({ state }) => state === 'READY') : listed);
}

function wantsReadyOnly(body: Buffer): boolean {
  if (body.length === 0) return false;
  const problem = new PlatformError(
    'invalid_argument',
    'BODY_INVALID',
    'the body must be JSON such as {"ready": true}',
  );
  let parsed: unknown;
  try {
    parsed = JSON.parse(body.toString('utf8'));
  } catch {
    throw problem;
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw problem;
  const { ready: wanted } = parsed as { ready?: unknown };
  if (wanted !== undefined && typeof wanted !== 'boolean') throw problem;
  return wanted === true;
}

async function inTurns<T, R>(items: readonly T[], ask1: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let at = 0; at < items.length; at += asksAtOnce) {
    results.push(...(await Promise.all(items.slice(at, at + asksAtOnce).map(ask1))));
  }
  return results;
}
