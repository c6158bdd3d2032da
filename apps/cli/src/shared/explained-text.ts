import type { ExplainedRequest } from '@mooring/sdk';

/** Requests in words, one block each. */
export function explainedText(requests: readonly ExplainedRequest[]): string {
  return requests.map(block).join('\n\n');
}

function block(request: ExplainedRequest): string {
  const lines = [
    ['Request', request.requestId + (request.clientRequestId === '' ? '' : ` (${request.clientRequestId})`)],
    ['At', `${request.at} in ${request.process}`],
    ['Answered', answeredText(request)],
    ['Decided', decidedText(request)],
    ['Ran', ranText(request)],
    ['Model', request.modelDigest === '' ? '' : `sha256 ${request.modelDigest}`],
    ['On the way', onTheWayText(request)],
    ['Copies', request.mirrored.map(copyText).join('; ')],
    ['Took', `${request.totalMs.toFixed(3)} ms`],
  ] as const;
  const told = lines.filter(([, text]) => text !== '').map(([name, text]) => `${name.padEnd(11)} ${text}`);
  return [...told, ...partLines(request)].join('\n');
}

function answeredText({ status, reason, protocol, bytesIn, bytesOut }: ExplainedRequest): string {
  const why = reason === '' ? '' : ` ${reason}`;
  return `${status}${why} (${protocol}; ${bytesIn} bytes in, ${bytesOut} out)`;
}

function decidedText({ endpoint, deployment, rule, trafficSlot }: ExplainedRequest): string {
  if (endpoint === '') return 'nothing: the caller was not let in to an endpoint';
  if (deployment === '') return `endpoint ${endpoint}, no deployment`;
  return `endpoint ${endpoint}, deployment ${deployment}${ruleText(rule, trafficSlot)}`;
}

/** A request may be refused before a slot is drawn, where every one leads to the same. */
function ruleText(rule: string, slot: number | undefined): string {
  if (rule === 'pin') return ' (named by the caller)';
  if (rule !== 'weight') return '';
  return slot === undefined ? ' (by the traffic table)' : ` (by the traffic table, slot ${slot} of 0 to 99)`;
}

function ranText({ instance, placement, batchId, batchRows, rows }: ExplainedRequest): string {
  if (instance === '') return '';
  const where = placement === '' ? '' : ` (${placement})`;
  const batch = batchId === '' ? '' : `, run ${batchId} of ${batchRows} rows`;
  return `on ${instance}${where}${batch}, ${rows} of its own`;
}

const coldStarts: Readonly<Record<string, string>> = {
  waited: 'cold start: it waited for an instance that was not ready',
  first: 'cold start: the first call to its instance',
};

function onTheWayText({ retries, ejections, coldStart, cache, idempotency }: ExplainedRequest): string {
  const parts = [
    `${retries} retries, ${ejections} ejections`,
    coldStart === '' ? '' : (coldStarts[coldStart] ?? coldStart),
    cache === '' ? '' : `response cache: ${cache}`,
    idempotency === '' ? '' : `idempotency key: ${idempotency}`,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

function copyText({ deployment, result, where }: ExplainedRequest['mirrored'][number]): string {
  if (result === undefined) return `${deployment} (no difference noted)`;
  return `${deployment} (${result}${where === undefined || where === '' ? '' : ` at ${where}`})`;
}

const barMax = 30;

/** The parts that took any time, each with its share as a bar. */
function partLines({ parts, totalMs }: ExplainedRequest): string[] {
  const some = Object.entries(parts).filter(([, ms]) => ms > 0);
  const width = Math.max(0, ...some.map(([, ms]) => ms.toFixed(3).length));
  return some.map(([name, ms]) => {
    const share = totalMs > 0 ? ms / totalMs : 0;
    const bar = '#'.repeat(Math.round(share * barMax));
    return `  ${name.padEnd(11)} ${ms.toFixed(3).padStart(width)} ${`${Math.round(share * 100)} %`.padStart(5)} ${bar}`.trimEnd();
  });
}
