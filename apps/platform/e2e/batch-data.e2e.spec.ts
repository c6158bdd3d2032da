import { cpSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf, makeBatchEndpoint, type BatchEndpoint, type Job } from './batch.ts';
import { cars, figure, fixtures, startPlatform, topology, type Platform } from './harness.ts';

interface Expected {
  'csv-iris': { rows: number };
  'csv-diabetes': { rows: number };
  'iris-300-broken-lines.jsonl': { bad_lines_0_based: Record<string, string>; labels_of_good: number[] };
  'mixed-corrupt': {
    bad: Record<string, string>;
    good_csv_labels: Record<string, number[]>;
    good_images: Record<string, { type: string; colour: string }>;
  };
}

interface IrisLine {
  row: number;
  label: number;
  probabilities: number[];
  file_name: string;
}

interface ItemLine {
  item: number;
  source: string;
  reason: string;
}

interface Photo {
  file: string;
  type: string;
  colour: string;
  type_probability: number;
  colour_probability: number;
}

const given = join(fixtures, 'batch-data');
const json = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T;
const wanted = json<Expected>(join(given, 'expected.json'));
const byPath = <T>(record: Record<string, T>): [string, T][] =>
  Object.entries(record).toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Tables with Iris's model, images with Luca's script; of a file that is neither, nothing. */
const mixedScript = `
import csv, os
import numpy, onnxruntime
import batch_score

COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]
session = None

def init():
    global session
    batch_score.init()
    session = onnxruntime.InferenceSession(os.path.join(os.environ["AZUREML_MODEL_DIR"], "model", "iris.onnx"))

def labels(path):
    with open(path, encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file)) or [[]]
    if header != COLUMNS or any(len(row) != len(COLUMNS) for row in rows):
        raise ValueError("not the four columns of an iris")
    found, _ = session.run(None, {"input": numpy.array(rows, numpy.float32)})
    return found.tolist()

def run(mini_batch):
    results = []
    for path in mini_batch:
        if not path.endswith(".csv"):
            results += batch_score.run([path])
            continue
        try:
            results.append({"file": os.path.basename(path), "labels": labels(path)})
        except ValueError as error:
            print(f"skipped {path}: {error}")
    return results
`;

let platform: Platform;
let batch: BatchEndpoint;

beforeAll(async () => {
  platform = await startPlatform();
  batch = await makeBatchEndpoint(platform, 'data');
  placeInputs(join(platform.data, 'artifacts/given'));
  const columns = 'properties: {mooring.batch.columns: "sepal_length,sepal_width,petal_length,petal_width"}';
  const rows = 'settings: {output_file_name: predictions.jsonl, error_threshold: -1}';
  await deploy('iris', join(fixtures, 'iris-onnx/model.onnx'), columns, rows);
  await deploy('diabetes', join(given, 'diabetes.onnx'), rows);
  const files = 'settings: {mini_batch_size: 9, error_threshold: -1, environment_variables: {SCORE_BACKEND: onnx}}';
  const environment = `environment: {image: "mcr.microsoft.com/azureml/minimal:1", conda_file: ${join(cars, 'conda-onnx.yaml')}}`;
  const code = (folder: string, script: string): string =>
    `code_configuration: {code: ${folder}, scoring_script: ${script}}`;
  await deploy('luca', join(cars, 'luca/model'), code(join(cars, 'luca/code'), 'batch_score.py'), environment, files);
  const mixed = join(platform.data, 'mixed');
  for (const part of ['model', 'code']) cpSync(join(cars, 'luca', part), join(mixed, part), { recursive: true });
  cpSync(join(fixtures, 'iris-onnx/model.onnx'), join(mixed, 'model/iris.onnx'));
  writeFileSync(join(mixed, 'code/mixed.py'), mixedScript);
  await deploy('mixed', join(mixed, 'model'), code(join(mixed, 'code'), 'mixed.py'), environment, files);
});
afterAll(() => platform.remove());

/** What is tested is not the upload, so the inputs are put where it leaves them. */
function placeInputs(folder: string): void {
  cpSync(given, folder, { recursive: true });
  const rows = gunzipSync(readFileSync(join(given, 'iris-20000.jsonl.gz')));
  writeFileSync(join(folder, 'iris-20000.jsonl'), rows);
  writeFileSync(join(folder, 'iris-20000.jsonl.zst'), zstdCompressSync(rows));
  cpSync(join(cars, 'images'), join(folder, 'photos'), { recursive: true });
  // The folder is kept with its broken images alone: the others are the first photos, as they are.
  const images = join(folder, 'mixed-corrupt/images');
  const broken = new Set(readdirSync(images));
  for (const photo of readdirSync(join(cars, 'images')).toSorted().slice(0, 30)) {
    if (!broken.has(photo)) cpSync(join(cars, 'images', photo), join(images, photo));
  }
}

async function deploy(name: string, model: string, ...more: string[]): Promise<void> {
  const head = [`name: ${name}`, 'endpoint_name: data', 'type: model', 'compute: azureml:pool'];
  const text = [...head, `model: {path: ${model}}`, 'resources: {instance_count: 2}', ...more].join('\n');
  await platform.json('batch-deployment', 'create', '-f', platform.yaml(text));
}

interface Output {
  job: Job;
  lines: string[];
  errors: ItemLine[];
  seconds: number;
}

/** Runs a job over files of the store to its proven end. */
async function scored(deployment: string, path: string, output = 'predictions.jsonl'): Promise<Output> {
  const beganAt = performance.now();
  const uri = `azureml://datastores/given/paths/${path}`;
  const jobInputType = /\.[a-z]+$/.test(path) && !path.includes('*') ? 'UriFile' : 'UriFolder';
  const body = { properties: { inputData: { rows: { jobInputType, uri } } } };
  const name = await batch.started(batch.invoke(body, { 'azureml-model-deployment': deployment }));
  const job = await batch.reached(name, 'Completed');
  const seconds = (performance.now() - beganAt) / 1_000;
  expect(await batch.verified(name)).toMatchObject({ ok: true, missing: 0, twice: 0, problems: [] });
  const lines = linesOf(batch.outputFile(name, output));
  const errors = linesOf(batch.outputFile(name, 'errors.jsonl')).map((line) => JSON.parse(line) as ItemLine);
  const { succeeded, failed, skipped } = job.properties.mooring.progress;
  expect([failed, skipped]).toEqual([errors.length, 0]);
  expect(succeeded + failed).toBe(job.properties.mooring.listing?.items);
  return { job, lines, errors, seconds };
}

const irisLines = ({ lines }: Output): IrisLine[] => lines.map((line) => JSON.parse(line) as IrisLine);

/** The largest difference of what are the same numbers. */
function apart(got: readonly number[], want: ArrayLike<number>): number {
  expect(got).toHaveLength(want.length);
  return got.reduce((largest, value, index) => Math.max(largest, Math.abs(value - (want[index] as number))), 0);
}

/** Prints what was found; numbers may differ by `tolerance`. */
function shown(what: string, { lines, errors, seconds }: Output, difference?: number, tolerance = 1e-5): void {
  if (difference !== undefined) expect(difference).toBeLessThanOrEqual(tolerance);
  const numbers = difference === undefined ? '' : `, largest difference of a number ${difference.toExponential(1)}`;
  figure(
    `D1 ${topology} ${what}: ${lines.length} lines as expected, ${errors.length} errors${numbers}, ${seconds.toFixed(1)} s`,
  );
}

describe(`rows of tables through models without code (${topology} topology)`, () => {
  it('come out of 400 CSV files in eight folders as from the model itself, however odd files are', async () => {
    const output = await scored('iris', 'csv-iris');
    type File = { label: number[]; probabilities: number[][] };
    const files = byPath(json<Record<string, File>>(join(given, 'expected-csv-iris.json')));
    const rows = files.flatMap(([file, { label }]) => label.map((one, row) => [file, row, one]));
    expect(rows).toHaveLength(wanted['csv-iris'].rows);
    const got = irisLines(output);
    expect(got.map(({ file_name, row, label }) => [file_name, row, label])).toEqual(rows);
    expect(output.errors).toEqual([]);
    const probabilities = files.flatMap(([, file]) => file.probabilities.flat());
    shown(
      'csv-iris',
      output,
      apart(
        got.flatMap((line) => line.probabilities),
        probabilities,
      ),
    );
  });

  it('keep the digits of doubles', async () => {
    const output = await scored('diabetes', 'csv-diabetes');
    const files = byPath(json<Record<string, { prediction: number[] }>>(join(given, 'expected-csv-diabetes.json')));
    const got = output.lines.map((line) => JSON.parse(line) as { row: number; prediction: number; file_name: string });
    expect(got.map(({ file_name, row }) => [file_name, row])).toEqual(
      files.flatMap(([file, { prediction }]) => prediction.map((_, row) => [file, row])),
    );
    expect(got).toHaveLength(wanted['csv-diabetes'].rows);
    expect(output.errors).toEqual([]);
    const predictions = files.flatMap(([, file]) => file.prediction);
    shown(
      'csv-diabetes',
      output,
      apart(
        got.map((line) => line.prediction),
        predictions,
      ),
      1e-9,
    );
  });

  it.each(['iris-20000.jsonl', 'iris-20000.jsonl.gz', 'iris-20000.jsonl.zst', 'iris-20000.parquet'])(
    'are the same 20,000 from %s',
    async (file) => {
      const output = await scored('iris', file);
      const got = irisLines(output);
      const labels = readFileSync(join(given, 'expected-iris-20000-labels.txt'), 'utf8').trim();
      expect(got.map(({ label }) => label).join('')).toBe(labels);
      expect(got.every(({ row, file_name }, index) => row === index && file_name === file)).toBe(true);
      expect(output.errors).toEqual([]);
      const bytes = gunzipSync(readFileSync(join(given, 'expected-iris-20000-probabilities.f32.gz')));
      const probabilities = new Float32Array(new Uint8Array(bytes).buffer);
      shown(
        file,
        output,
        apart(
          got.flatMap((line) => line.probabilities),
          probabilities,
        ),
      );
    },
  );

  it('that are broken are the only ones in the error file', async () => {
    const file = 'iris-300-broken-lines.jsonl';
    const { bad_lines_0_based: bad, labels_of_good: good } = wanted[file];
    const output = await scored('iris', file);
    expect(output.errors.map(({ source, reason }) => [source, reason])).toEqual(
      Object.keys(bad).map((row) => [`${file}#${row}`, 'BadRow']),
    );
    const got = irisLines(output);
    expect(got.map(({ label }) => label)).toEqual(good);
    expect(got.map(({ row }) => row)).toEqual([...Array(300).keys()].filter((row) => !(String(row) in bad)));
    shown(file, output);
  });

  it('of files that are no tables are errors of exactly these files', async () => {
    const { bad, good_csv_labels: good } = wanted['mixed-corrupt'];
    const output = await scored('iris', 'mixed-corrupt/csv/*.csv');
    const broken = Object.keys(bad).filter((path) => path.startsWith('csv/'));
    const named = (source: string): string => `csv/${source.replace(/#\d+$/, '')}`;
    expect([...new Set(output.errors.map(({ source }) => named(source)))]).toEqual(broken);
    const lines = Object.groupBy(irisLines(output), ({ file_name }) => `csv/${file_name}`);
    const labels = byPath(lines as Record<string, IrisLine[]>)
      .map(([path, found]) => [path, found.map(({ label }) => label)] as const)
      .filter(([path]) => !(path in bad));
    expect(labels).toEqual(byPath(good));
    // Of two of the files one row alone is broken.
    expect(output.errors.filter(({ reason }) => reason === 'BadRow')).toMatchObject([
      { source: 'iris-09.csv#0' },
      { source: 'iris-14.csv#5' },
    ]);
    shown('mixed-corrupt/csv', output);
  });
});

/** Without pandas in its environment the script returns dicts, and a line is how Python writes one. */
const dictOf = <T>(line: string): T => JSON.parse(line.replaceAll("'", '"')) as T;

describe(`files through scripts (${topology} topology)`, () => {
  it("that are photos are what Luca's model says", async () => {
    interface Prediction {
      file: string;
      type: string;
      colour: string;
      type_probabilities: Record<string, number>;
      colour_probabilities: Record<string, number>;
    }
    const { predictions } = json<{ predictions: Prediction[] }>(join(cars, 'luca/predictions.json'));
    const want = predictions.toSorted((a, b) => (a.file < b.file ? -1 : 1));
    const output = await scored('luca', 'photos', 'predictions.csv');
    const got = output.lines.map((line) => dictOf<Photo>(line));
    const named = ({ file, type, colour }: Pick<Photo, 'file' | 'type' | 'colour'>): string[] => [file, type, colour];
    expect(got.map(named)).toEqual(want.map(named));
    expect(output.errors).toEqual([]);
    const surest = want.flatMap((one) =>
      [one.type_probabilities, one.colour_probabilities].map((all) => Math.max(...Object.values(all))),
    );
    shown(
      'luca photos',
      output,
      apart(
        got.flatMap((one) => [one.type_probability, one.colour_probability]),
        surest,
      ),
      1e-3,
    );
  });

  it('that are broken, of two kinds in one folder, are the only ones in the error file', async () => {
    const { bad, good_csv_labels: tables, good_images: images } = wanted['mixed-corrupt'];
    const output = await scored('mixed', 'mixed-corrupt', 'predictions.csv');
    expect(output.errors.map(({ source }) => source)).toEqual(Object.keys(bad));
    const got = output.lines.map((line) => dictOf<Partial<Photo> & { labels?: number[] }>(line));
    expect(got.map(({ file, labels, type, colour }) => (labels ? [file, labels] : [file, type, colour]))).toEqual([
      ...byPath(tables).map(([path, labels]) => [path.slice('csv/'.length), labels]),
      ...byPath(images).map(([path, { type, colour }]) => [path.slice('images/'.length), type, colour]),
    ]);
    shown('mixed-corrupt', output);
  });
});
