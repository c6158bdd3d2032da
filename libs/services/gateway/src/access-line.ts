import { stageNames, thousandths, type StageTimes } from './domain/stage-times.ts';
import type { Exchange } from './exchange.ts';

export interface Outcome {
  protocol: string;
  status: number;
  reason: string;
  stages: StageTimes;
  totalMs: number;
}

/** The access line of a finished request as JSON, put together by hand: one is written for every request. */
export function accessLine(exchange: Exchange, { protocol, status, reason, stages, totalMs }: Outcome): string {
  const { reply, head, route, error, callerGone } = exchange;
  let line = `{"time":"${isoTime(exchange.beganAtMs)}","requestId":"${exchange.requestId}"`;
  line += text('clientRequestId', exchange.clientRequestId);
  line += text('traceId', exchange.span?.traceId);
  line += text('method', head.method);
  line += text('route', route?.template, true);
  line += text('endpoint', exchange.endpoint?.name);
  line += text('deployment', reply?.deployment);
  line += text('instance', reply?.instanceId);
  line += `,"protocol":"${protocol}","status":${status}`;
  line += text('code', error?.code ?? (callerGone ? 'cancelled' : 'ok'));
  line += text('reason', reason);
  if (error?.modelStatus !== undefined) line += `,"modelStatus":${error.modelStatus}`;
  line += `,"bytesIn":${exchange.bytesIn},"bytesOut":${exchange.bytesOut}`;
  if (reply !== undefined) {
    line += `,"rows":${reply.rows}`;
    line += text('batchId', reply.batchId);
    if (reply.batchRows > 0) line += `,"batchRows":${reply.batchRows}`;
    line += text('pick', reply.pick);
    line += `,"retries":${reply.retries}`;
  }
  line += `,"callerGone":${callerGone},"totalMs":${thousandths(totalMs)},"stages":{`;
  for (let index = 0; index < stageNames.length; index += 1) {
    const stage = stageNames[index] as keyof StageTimes;
    line += `${index === 0 ? '"' : ',"'}${stage}":${thousandths(stages[stage])}`;
  }
  return `${line}}}`;
}

const plain = /^[\w.:/{} -]*$/;

/** One member; nothing where the value is missing or, unless `evenEmpty`, empty. */
function text(name: string, value: string | undefined, evenEmpty = false): string {
  if (value === undefined || (value === '' && !evenEmpty)) return '';
  return plain.test(value) ? `,"${name}":"${value}"` : `,"${name}":${JSON.stringify(value)}`;
}

let second = 0;
let secondText = '';

/** As `Date.toISOString`, which works everything out anew each time. */
function isoTime(atMs: number): string {
  const whole = Math.floor(atMs / 1_000);
  if (whole !== second) {
    second = whole;
    secondText = new Date(whole * 1_000).toISOString().slice(0, -4);
  }
  const ms = atMs % 1_000;
  return `${secondText}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}
