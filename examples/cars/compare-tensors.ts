/**
 * Scores photos with the models that are served without code and holds the answers against the predictions.
 *
 *     node compare-tensors.ts --management-cli tools/mooring [--photos 40]
 *
 * Somebody must turn a photo into pixels: pixels.py does, run by the Python environment that Mooring built for the scoring
 * scripts (below the data folder), or by $PYTHON.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
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

const here = dirname(fileURLToPath(import.meta.url));
const endpoint = 'cars-tensors';
const tolerance = 1e-3;
const { values } = parseArgs({
  options: { 'management-cli': { type: 'string' }, photos: { type: 'string', default: '40' } },
});
const cli = values['management-cli'];
if (cli === undefined) throw new Error('--management-cli is needed');
const ask = (...args: string[]): string =>
  execFileSync(cli, [...args, '-n', endpoint, '-o', 'tsv'], { encoding: 'utf8' }).trim();

function findPython(): string {
  const folder = join(process.env['MOORING_DATA'] ?? join(homedir(), '.mooring'), 'environments');
  const candidates = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name, 'bin', 'python')) : [];
  for (const python of [process.env['PYTHON'], ...candidates]) {
    if (python === undefined || !existsSync(python)) continue;
    try {
      execFileSync(python, ['-c', 'import numpy, PIL'], { stdio: 'ignore' });
      return python;
    } catch {
      // This environment is for another deployment.
    }
  }
  throw new Error(`no Python with numpy and pillow below ${folder}; name one by PYTHON=...`);
}

const scoringUri = ask('online-endpoint', 'show', '--query', 'scoring_uri');
const key = ask('online-endpoint', 'get-credentials', '--query', 'primaryKey');
const files = readdirSync(join(here, 'images')).toSorted().slice(0, Number(values.photos));
const python = findPython();
let failed = 0;
for (const who of ['martina', 'luca']) {
  const { predictions } = JSON.parse(readFileSync(join(here, who, 'predictions.json'), 'utf8')) as {
    predictions: Prediction[];
  };
  const wanted = new Map(predictions.map((prediction) => [prediction.file, prediction]));
  const paths = files.map((file) => join(here, 'images', file));
  const requests = execFileSync(python, [join(here, 'pixels.py'), who, ...paths], {
    maxBuffer: 2 ** 30,
    encoding: 'utf8',
  });
  let largest = 0;
  for (const [index, body] of requests.trim().split('\n').entries()) {
    const url = scoringUri.replace(/\/score$/, `/v2/models/${endpoint}/versions/${who}/infer`);
    const response = await fetch(url, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(60_000),
    });
    if (!response.ok) throw new Error(`${who}: ${response.status} ${await response.text()}`);
    const { outputs } = (await response.json()) as { outputs: { name: string; data: number[] }[] };
    const want = wanted.get(files[index] ?? '');
    for (const field of ['type', 'colour'] as const) {
      const got = outputs.find((output) => output.name === field)?.data ?? [];
      const probabilities = Object.values(want?.[`${field}_probabilities`] ?? {});
      if (got.length !== probabilities.length) throw new Error(`${who}: ${got.length} values for ${field}`);
      for (const [at, probability] of probabilities.entries()) {
        largest = Math.max(largest, Math.abs((got[at] ?? Number.NaN) - probability));
      }
    }
  }
  const agrees = largest <= tolerance;
  failed += agrees ? 0 : 1;
  process.stdout.write(
    `  ${who}: ${files.length} photos, largest difference of a probability ${largest.toExponential(1)}` +
      ` (${agrees ? 'within' : 'NOT within'} ${tolerance})\n`,
  );
}
process.exitCode = failed === 0 ? 0 : 1;
