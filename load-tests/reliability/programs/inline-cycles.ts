/** A process that loads a model inline, asks it and lets it go, over and over: `fork` it and send the number of cycles. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadInlineModel } from '@mooring/inference';
import { call } from '@mooring/scoring-stream/testing';
import { pino } from 'pino';
import { oipJson } from '../../bench/payloads.ts';
import { loadCases, modelFile } from '../cases.ts';

const log = pino({ enabled: false });
const never = new AbortController().signal;
const sha256 = createHash('sha256').update(readFileSync(modelFile)).digest('hex');
const model = {
  file: modelFile,
  sha256,
  rowsMax: 64,
  batchRowsMax: 0,
  batchMaxDelayUs: 0,
  maxRequestBytes: 2 ** 20,
  maxResponseBytes: 2 ** 20,
};
const [first] = loadCases();
const body = oipJson({ input: 'input', shape: [1, 4], data: first?.row ?? [], output: 'label' });

async function cycle(): Promise<void> {
  const loaded = await loadInlineModel({ instanceId: 'i', endpoint: 'a', deployment: 'blue', model }, log);
  const answer = await loaded.score(call({ operation: 3, protocol: 2, modelName: 'a', body }), never);
  if (answer.status !== 200) throw new Error(`the model answered ${answer.errorReason}: ${answer.errorMessage}`);
  await loaded.close();
}

v8.setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
/** Longer than what a model that is let go of holds a timer for. */
const restMs = 6_000;

async function rssMib(): Promise<number> {
  await delay(restMs);
  collectGarbage();
  return process.memoryUsage.rss() / 2 ** 20;
}

process.once('message', (cycles: number) => {
  void (async () => {
    // The first cycles load code and grow the heap, once.
    for (let n = 0; n < Math.max(20, cycles / 5); n += 1) await cycle();
    const beforeMib = await rssMib();
    for (let n = 0; n < cycles; n += 1) await cycle();
    process.send?.({ result: { beforeMib, afterMib: await rssMib() } });
  })().catch((error: unknown) => process.send?.({ error: String(error) }));
});
process.once('disconnect', () => process.exit());
