/**
 * Sends photos to a scoring URL and says who answered, how fast and whether the answers are right.
 *
 *     node send-photos.ts --url URL --key KEY [--count 200] [--concurrency 8] [--deployment NAME] [--until FILE]
 *
 * Every answer is held against the predictions of the deployment that gave it (labels exact, probabilities within 0.001).
 * With --until it goes on until FILE exists. Exit status 1 when a request failed or an answer was wrong.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

interface Prediction {
  file: string;
  type: string;
  colour: string;
  type_probabilities: Record<string, number>;
  colour_probabilities: Record<string, number>;
}

interface Answer {
  status: number;
  deployment: string;
  body: string;
  ms: number;
}

const here = dirname(fileURLToPath(import.meta.url));
const tolerance = 1e-3;
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    key: { type: 'string' },
    count: { type: 'string', default: '200' },
    concurrency: { type: 'string', default: '8' },
    deployment: { type: 'string' },
    until: { type: 'string' },
  },
});
if (values.url === undefined || values.key === undefined) throw new Error('--url and --key are needed');
const { url, key, deployment, until } = values;

const files = readdirSync(join(here, 'images')).toSorted();
const bodies = files.map((file) =>
  JSON.stringify({ image: readFileSync(join(here, 'images', file)).toString('base64') }),
);
const predictions = new Map(
  ['martina', 'luca'].map((who) => {
    const { predictions: list } = JSON.parse(readFileSync(join(here, who, 'predictions.json'), 'utf8')) as {
      predictions: Prediction[];
    };
    return [who, new Map(list.map((prediction) => [prediction.file, prediction]))];
  }),
);
const agent = new Agent({ keepAlive: true, maxSockets: Number(values.concurrency) });

function send(body: string): Promise<Answer> {
  const startedAt = performance.now();
  const headers = {
    authorization: `Bearer ${key}`,
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(deployment === undefined ? {} : { 'azureml-model-deployment': deployment }),
  };
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, deployment: '', body: error.message, ms: 0 });
    const call = request(url as string, { method: 'POST', agent, headers, timeout: 60_000 }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', failed);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          deployment: String(response.headers['azureml-model-deployment'] ?? ''),
          body: Buffer.concat(chunks).toString(),
          ms: performance.now() - startedAt,
        }),
      );
    });
    call.on('timeout', () => call.destroy(new Error('no answer within 60 s')));
    call.on('error', failed);
    call.end(body);
  });
}

/** What is wrong with an answer, or undefined when it is right. */
function wrong(file: string, answer: Answer): string | undefined {
  if (answer.status !== 200) return `${file}: status ${answer.status}: ${answer.body.slice(0, 200)}`;
  const want = predictions.get(answer.deployment)?.get(file);
  if (want === undefined) return `${file}: answered by '${answer.deployment}', for whom there are no predictions`;
  const got = parse(answer.body);
  if (got === undefined) return `${file}: the answer is not JSON: ${answer.body.slice(0, 200)}`;
  if (got.type !== want.type || got.colour !== want.colour) {
    return `${file}: ${answer.deployment} says ${got.colour} ${got.type}, expected ${want.colour} ${want.type}`;
  }
  for (const field of ['type_probabilities', 'colour_probabilities'] as const) {
    for (const [name, probability] of Object.entries(want[field])) {
      const difference = Math.abs((got[field][name] ?? Number.NaN) - probability);
      if (!(difference <= tolerance)) return `${file}: ${answer.deployment}'s ${field}.${name} is off by ${difference}`;
    }
  }
  return undefined;
}

function parse(text: string): Prediction | undefined {
  try {
    return JSON.parse(text) as Prediction;
  } catch {
    return undefined;
  }
}

const problems: string[] = [];
const byDeployment = new Map<string, number>();
const durations: number[] = [];
let next = 0;

function wanted(): boolean {
  return until === undefined ? next < Number(values.count) : !existsSync(until);
}

async function sender(): Promise<void> {
  while (wanted()) {
    const index = next % files.length;
    next += 1;
    const answer = await send(bodies[index] ?? '');
    durations.push(answer.ms);
    const problem = wrong(files[index] ?? '', answer);
    if (problem !== undefined) problems.push(problem);
    byDeployment.set(answer.deployment, (byDeployment.get(answer.deployment) ?? 0) + 1);
  }
}

await Promise.all(Array.from({ length: Number(values.concurrency) }, sender));
agent.destroy();
durations.sort((a, b) => a - b);
const quantile = (q: number): string => `${(durations[Math.floor(q * (durations.length - 1))] ?? 0).toFixed(1)} ms`;
const shares = [...byDeployment]
  .toSorted()
  .map(([name, count]) => `${name || 'nobody'} ${count} (${((100 * count) / durations.length).toFixed(1)} %)`);
process.stdout.write(
  `  ${durations.length} photos: answered by ${shares.join(', ')}; p50 ${quantile(0.5)}, p99 ${quantile(0.99)}; ` +
    `${problems.length} failed or wrong\n`,
);
for (const problem of problems.slice(0, 5)) process.stdout.write(`    ${problem}\n`);
process.exitCode = problems.length === 0 ? 0 : 1;
