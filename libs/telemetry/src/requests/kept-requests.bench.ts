/** `node kept-requests.bench.ts`: CPU of noting one request, and of making the id that it is found by, microseconds. */
import { randomUUID } from 'node:crypto';
import type { Decided, EndedRequest } from './ended-request.ts';
import { KeptRequests } from './kept-requests.ts';

const times = 1_000_000;
const kept = new KeptRequests({ kept: 2_000, failedKept: 2_000 });
const decided: Decided = {
  deployment: 'blue',
  instanceId: 'blue-inline',
  batchId: '',
  batchRows: 4,
  rows: 1,
  retries: 0,
  pick: 'weight',
  trafficSlotPlusOne: 43,
  ejections: 0,
  modelDigest: 'd'.repeat(64),
  coldStart: '',
  placement: 'inline',
  cache: '',
  idempotency: '',
  mirrored: '',
};
const parts = { auth: 0.01, read: 0, route: 0.02, queue: 0.1, batchWait: 0.1, transport: 0.1, preprocess: 0.1 };
let length = 0;

/** What an edge does for each request besides: an id, made and written into the answer. */
function request(run: number, clientRequestId: string): EndedRequest {
  const requestId = randomUUID();
  length += Buffer.byteLength(`x-request-id: ${requestId}\r\n`);
  return {
    requestId,
    clientRequestId,
    atMs: run,
    protocol: 'score',
    endpoint: 'iris',
    status: 200,
    reason: '',
    bytesIn: 80,
    bytesOut: 120,
    totalMs: run / 3,
    parts: { ...parts, compute: run / 7, postprocess: 0.1, write: run / 9 },
  };
}

const variants: Readonly<Record<string, (run: number) => void>> = {
  'no ring': (run) => void request(run, ''),
  ring: (run) => kept.answered(request(run, ''), { ...decided, batchId: `blue-inline-${run}` }),
  "ring, with the caller's id": (run) => kept.answered(request(run, 'a-caller-s-own-id-1234567890'), decided),
};

function cpuUs(one: (run: number) => void): number {
  const before = process.cpuUsage();
  for (let run = 0; run < times; run += 1) one(run);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / times;
}

for (const one of Object.values(variants)) cpuUs(one);
const measured = new Map(Object.keys(variants).map((name) => [name, [] as number[]]));
for (let round = 0; round < 5; round += 1) {
  for (const [name, one] of Object.entries(variants)) measured.get(name)?.push(cpuUs(one));
}
for (const [name, us] of measured) {
  console.log(`${name}: ${us.toSorted((a, b) => a - b)[2]?.toFixed(3)} us CPU a request`);
}
console.log(`(${length} bytes of ids)`);
