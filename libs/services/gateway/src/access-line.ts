import { stageNames, thousandths, type StageTimes } from './domain/stage-times.ts';
import type { Exchange } from './exchange.ts';

export interface Outcome {
  protocol: string;
  status: number;
  reason: string;
  stages: StageTimes;
  totalMs: number;
  /** Who answered, as `whoText` writes it. */
  who: string;
}

const stageKeys = stageNames.map((stage, index) => `${index === 0 ? '"' : ',"'}${stage}":`);

/** The access line of a finished request as JSON, put together by hand: one is written for every request. */
export function accessLine(exchange: Exchange, outcome: Outcome): string {
  const { reply, error, callerGone } = exchange;
  let line = `{"time":"${isoTime(exchange.beganAtMs)}","requestId":"${exchange.requestId}"`;
  if (exchange.clientRequestId !== '') line += member('clientRequestId', exchange.clientRequestId);
  if (exchange.span !== undefined) line += member('traceId', exchange.span.traceId);
  line += exchange.asked + outcome.who;
  line += `,"protocol":"${outcome.protocol}","status":${outcome.status}`;
  if (error === undefined && !callerGone) line += ',"code":"ok"';
  else line += member('code', error?.code ?? 'cancelled') + member('reason', outcome.reason);
  if (error?.modelStatus !== undefined) line += `,"modelStatus":${error.modelStatus}`;
  line += `,"bytesIn":${exchange.bytesIn},"bytesOut":${exchange.bytesOut}`;
  if (reply !== undefined) {
    line += `,"rows":${reply.rows}`;
    if (reply.batchId !== '') line += member('batchId', reply.batchId);
    if (reply.batchRows > 0) line += `,"batchRows":${reply.batchRows}`;
    line += `${member('pick', reply.pick)},"retries":${reply.retries}`;
  }
  line += `,"callerGone":${callerGone},"totalMs":${thousandths(outcome.totalMs)},"stages":{`;
  for (let index = 0; index < stageNames.length; index += 1) {
    line += (stageKeys[index] as string) + thousandths(outcome.stages[stageNames[index] as keyof StageTimes]);
  }
  return `${line}}}`;
}

/** What was asked, as it stands in the access line; worked out once for a head. */
export function askedText(method: string, template: string | undefined): string {
  return member('method', method) + (template === undefined ? '' : `,"route":${JSON.stringify(template)}`);
}

/** Who answered, as it stands in the access line. */
export function whoText(endpoint: string, deployment: string, instance: string): string {
  return member('endpoint', endpoint) + member('deployment', deployment) + member('instance', instance);
}

const plain = /^[\w.:/{} -]*$/;

/** One member of the line; nothing when it is empty. */
function member(name: string, value: string): string {
  if (value === '') return '';
  return `,"${name}":${plain.test(value) ? `"${value}"` : JSON.stringify(value)}`;
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
