import { randomUUID } from 'node:crypto';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linesOf, makeBatchEndpoint, type BatchEndpoint, type Job } from './batch.ts';
import { cars, figure, startPlatform, topology, until, type Platform } from './harness.ts';

interface Prediction {
  file: string;
  type: string;
  colour: string;
  type_probabilities: Record<string, number>;
  colour_probabilities: Record<string, number>;
}

const images = readdirSync(join(cars, 'images')).toSorted();
/** Not images, each in its own way. */
const broken = Array.from({ length: 14 }, (_, index) => `broken-${String(index).padStart(2, '0')}.png`);

let platform: Platform;
let batch: BatchEndpoint;

beforeAll(async () => {
  platform = await startPlatform();
  batch = await makeBatchEndpoint(platform, 'night');
});
afterAll(() => platform.remove());

describe(`200 photos and 14 files that are none, through Martina's script (${topology} topology)`, () => {
  let name = '';

  it('are scored once each: predictions in the order of the input, errors for what is broken', async () => {
    const folder = join(platform.data, 'photos');
    mkdirSync(folder, { recursive: true });
    for (const image of images) copyFileSync(join(cars, 'images', image), join(folder, image));
    for (const [index, file] of broken.entries()) {
      const photo = readFileSync(join(cars, 'images', images[index] ?? ''));
      writeFileSync(join(folder, file), index % 2 === 0 ? photo.subarray(0, index * 20) : `no image ${index}`);
    }
    const deployment = [
      'name: martina',
      'endpoint_name: night',
      'type: model',
      `model: {path: ${join(cars, 'martina/model')}}`,
      `code_configuration: {code: ${join(cars, 'martina/code')}, scoring_script: batch_score.py}`,
      `environment: {image: "mcr.microsoft.com/azureml/minimal:1", conda_file: ${join(cars, 'conda-onnx.yaml')}}`,
      'compute: azureml:pool',
      'resources: {instance_count: 2}',
      'settings: {mini_batch_size: 9, retry_settings: {max_retries: 1, timeout: 60}, environment_variables: {SCORE_BACKEND: onnx}}',
    ].join('\n');
    await platform.json('batch-deployment', 'create', '-f', platform.yaml(deployment), '--set-default');

    const beganAt = performance.now();
    const job = await platform.json('batch-endpoint', 'invoke', '-n', 'night', '--input', folder, '--stream');
    const tookS = (performance.now() - beganAt) / 1_000;
    expect(job).toMatchObject({ status: 'Completed' });
    name = String(job['name']);
    const { properties } = await batch.jobNamed(name);
    expect(properties.mooring.progress).toMatchObject({ succeeded: images.length, failed: broken.length, skipped: 0 });
    await platform.json('job', 'download', '-n', name, '-p', join(platform.data, 'results'));
    const results = join(platform.data, 'results/named-outputs/score');

    const text = readFileSync(join(cars, 'martina/predictions.json'), 'utf8');
    const wanted = (JSON.parse(text) as { predictions: Prediction[] }).predictions.toSorted((a, b) =>
      a.file < b.file ? -1 : 1,
    );
    // Without pandas in its environment the script returns dicts, and a line is how Python writes one.
    const got = linesOf(readFileSync(join(results, 'predictions.csv'), 'utf8')).map(
      (line) => JSON.parse(line.replaceAll("'", '"')) as Record<string, string | number>,
    );
    expect(got.map(({ file, type, colour }) => [file, type, colour])).toEqual(
      wanted.map(({ file, type, colour }) => [file, type, colour]),
    );
    let largest = 0;
    for (const [index, prediction] of wanted.entries()) {
      for (const of of ['type', 'colour'] as const) {
        const probability = Math.max(...Object.values(prediction[`${of}_probabilities`]));
        largest = Math.max(largest, Math.abs(Number(got[index]?.[`${of}_probability`]) - probability));
      }
    }
    expect(largest).toBeLessThanOrEqual(1e-3);
    const errors = linesOf(batch.outputFile(name, 'errors.jsonl')).map(
      (line) => JSON.parse(line) as { source: string },
    );
    expect(errors.map(({ source }) => source)).toEqual(broken);
    figure(
      `D1 ${topology} martina batch: ${images.length} photos right, ${errors.length} broken files in errors.jsonl, ` +
        `largest difference of a probability ${largest.toExponential(1)}, ${tookS.toFixed(1)} s`,
    );
  });

  it('can be proven again, and what was touched since is found', async () => {
    expect(await batch.verified(name)).toMatchObject({ ok: true, missing: 0, twice: 0, problems: [] });
    const path = join(platform.data, 'artifacts/workspaceblobstore/azureml', name, 'score/predictions.csv');
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, -2));
    expect(await batch.verified(name)).toMatchObject({ ok: false });
    writeFileSync(path, whole);
    expect(await batch.verified(name)).toMatchObject({ ok: true });
  });
});

/** Notes each file that it runs; those after the first ones wait until they are let. */
const script = `
import os, time

def init():
    pass

def run(mini_batch):
    for path in mini_batch:
        if os.path.basename(path) >= "c":
            while not os.path.exists(os.environ["GATE"]):
                time.sleep(0.02)
        with open(os.environ["RUNS_FILE"], "a") as file:
            file.write(os.path.basename(path) + "\\n")
    return [os.path.basename(path) for path in mini_batch]
`;

describe('jobs of a script that can be held', () => {
  const files = ['a1', 'a2', 'b1', 'b2', 'c1', 'c2', 'd1', 'd2', 'e1', 'e2'];
  const uri = 'azureml://datastores/photos/paths/letters';
  let gate = '';
  let runsFile = '';

  beforeAll(async () => {
    gate = join(platform.data, 'gate');
    runsFile = join(platform.data, 'runs.txt');
    const folder = join(platform.data, 'artifacts/photos/letters');
    mkdirSync(folder, { recursive: true });
    for (const file of files) writeFileSync(join(folder, file), file);
    const deployment = [
      'name: held',
      'endpoint_name: night',
      'type: model',
      'model: {path: model}',
      'code_configuration: {code: code, scoring_script: score.py}',
      'environment: {image: "mcr.microsoft.com/azureml/minimal:1"}',
      'compute: azureml:pool',
      `settings: {mini_batch_size: 2, environment_variables: {GATE: ${gate}, RUNS_FILE: ${runsFile}}}`,
    ].join('\n');
    const path = platform.yaml(deployment, { 'code/score.py': script, 'model/weights.txt': 'none' });
    await platform.json('batch-deployment', 'create', '-f', path);
  });

  it('are one job and one output, however they are spelt and however often they come', async () => {
    const output = 'azureml://datastores/workspaceblobstore/paths/letters/once.txt';
    // As REST's documentation writes a request, and as Azure's SDK sends the same one.
    const documented = {
      properties: {
        InputData: { letters: { JobInputType: 'UriFolder', Uri: uri } },
        OutputData: { score: { JobOutputType: 'UriFile', Uri: output } },
        MiniBatchSize: 5,
        ErrorThreshold: 0,
        RetrySettings: { MaxRetries: 1, Timeout: 'PT45S' },
        Compute: { InstanceCount: 2 },
        LoggingLevel: 'Info',
        properties: { experimentName: 'spelling' },
      },
    };
    const sdk = {
      properties: {
        inputData: { UriFolder: { jobInputType: 'UriFolder', uri } },
        outputData: { output_name: { jobOutputType: 'UriFile', uri: output } },
        miniBatchSize: 5,
        errorThreshold: 0,
        retrySettings: { maxRetries: 1, timeout: 'PT45S' },
        compute: { isLocal: true, instanceCount: 2 },
        loggingLevel: 'info',
        properties: { experimentName: 'spelling' },
      },
    };
    writeFileSync(gate, '');
    const id = randomUUID();
    const pinned = { 'azureml-model-deployment': 'held' };
    const send = async (index: number): Promise<{ outcome: string; name: string }> => {
      const keyed = index % 2 === 0 ? { 'Idempotency-Key': id } : { 'repeatability_request-id': id };
      const answer = await fetch(`${platform.http}/endpoints/night/jobs`, {
        method: 'POST',
        headers: { authorization: `Bearer ${batch.key}`, 'content-type': 'application/json', ...pinned, ...keyed },
        body: JSON.stringify(index % 2 === 0 ? documented : sdk),
        signal: AbortSignal.timeout(60_000),
      });
      const { name = '', error } = (await answer.json()) as { name?: string; error?: { reason: string } };
      return { outcome: `${answer.status} ${error?.reason ?? ''}`.trim(), name };
    };
    const beganAt = performance.now();
    const answers = await Promise.all(Array.from({ length: 1_000 }, (_, index) => send(index)));
    const tookS = (performance.now() - beganAt) / 1_000;
    const outcomes = Object.entries(Object.groupBy(answers, ({ outcome }) => outcome));
    expect(Object.fromEntries(outcomes.map(([outcome, all]) => [outcome, all?.length]))).toEqual({ 200: 999, 201: 1 });
    const names = new Set(answers.map(({ name }) => name));
    expect(names.size).toBe(1);
    const [name = ''] = names;
    await batch.reached(name, 'Completed');
    const place = join(platform.data, 'artifacts/workspaceblobstore/letters');
    expect(linesOf(readFileSync(join(place, 'once.txt'), 'utf8'))).toEqual(files);
    expect(linesOf(readFileSync(runsFile, 'utf8')).toSorted()).toEqual(files);
    const { body } = await platform.send('/endpoints/night/jobs', { key: batch.key });
    const listed = (JSON.parse(body.toString()) as { value: Job[] }).value.map((job) => job.name);
    expect(listed.filter((one) => one === name)).toHaveLength(1);
    expect(await batch.verified(name)).toMatchObject({ ok: true });

    const other = await batch.invoke(
      { properties: { ...sdk.properties, miniBatchSize: 4 } },
      { ...pinned, 'Idempotency-Key': id },
    );
    expect(other.status).toBe(409);
    figure(`D2 ${topology} both spellings, 1000 concurrent retries: 1 job, 1 output, ${tookS.toFixed(1)} s`);
  });

  it('are cancelled with what is done kept, and resumed with only what is left', async () => {
    rmSync(gate, { force: true });
    const body = { properties: { name: 'held-1', inputData: { letters: { jobInputType: 'UriFolder', uri } } } };
    const name = await batch.started(batch.invoke(body, { 'azureml-model-deployment': 'held' }));
    expect(name).toBe('held-1');
    await until('two mini-batches to be done', async () => {
      return (await batch.jobNamed(name)).properties.mooring.progress.miniBatchesDone === 2;
    });
    await platform.json('job', 'cancel', '-n', name);
    const cancelled = await batch.reached(name, 'Canceled');
    expect(cancelled.properties.mooring.progress).toMatchObject({ succeeded: 4, failed: 0, skipped: 6 });
    expect(linesOf(batch.outputFile(name, 'predictions.csv'))).toEqual(files.slice(0, 4));
    expect(await batch.verified(name)).toMatchObject({ ok: true });

    writeFileSync(gate, '');
    writeFileSync(runsFile, '');
    await platform.json('job', 'resume', '-n', name);
    const completed = await batch.reached(name, 'Completed');
    expect(completed.properties.mooring.progress).toMatchObject({ succeeded: 10, failed: 0, skipped: 0 });
    expect(linesOf(readFileSync(runsFile, 'utf8')).toSorted()).toEqual(files.slice(4));
    expect(linesOf(batch.outputFile(name, 'predictions.csv'))).toEqual(files);
    expect(await batch.verified(name)).toMatchObject({ ok: true, missing: 0, twice: 0 });
  });

  it('queue where there are more than are worked on at once, say where they are, and all end', async () => {
    rmSync(gate, { force: true });
    const names = Array.from({ length: 10 }, (_, index) => `ten-${index}`);
    const held = { 'azureml-model-deployment': 'held' };
    const inputData = { letters: { jobInputType: 'UriFolder', uri } };
    for (const name of names) await batch.started(batch.invoke({ properties: { name, inputData } }, held));
    const jobs = (): Promise<Job[]> => Promise.all(names.map((name) => batch.jobNamed(name)));
    // Two processes, or as many as there are cores, have their first mini-batches done and are held by the next ones.
    const waiting = await until('four jobs to run and six to wait in their order', async () => {
      const found = (await jobs()).map(({ properties }) => properties);
      const running = found.slice(0, 4).every(({ status }) => status === 'Running');
      const positions = found.slice(4).map(({ mooring }) => mooring.progress.queuePosition);
      return running && positions.join() === '0,1,2,3,4,5' && found.slice(4);
    });
    expect(waiting.map(({ status }) => status)).toEqual(waiting.map(() => 'Queued'));
    await platform.json('job', 'cancel', '-n', 'ten-9');
    expect((await batch.jobNamed('ten-9')).properties.status).toBe('Canceled');
    await platform.json('job', 'cancel', '-n', 'ten-0');
    await batch.reached('ten-0', 'Canceled');
    writeFileSync(gate, '');
    for (const name of names.slice(1, 9)) {
      const { properties } = await batch.reached(name, 'Completed');
      expect(properties.mooring.progress).toMatchObject({ succeeded: 10, failed: 0, skipped: 0 });
      expect(linesOf(batch.outputFile(name, 'predictions.csv'))).toEqual(files);
    }
    await platform.json('job', 'resume', '-n', 'ten-9');
    await batch.reached('ten-9', 'Completed');
    expect(await batch.verified('ten-9')).toMatchObject({ ok: true, items: { in: 10, succeeded: 10 } });
  });

  it('go on where they were when the processes of the platform are replaced', async () => {
    rmSync(gate, { force: true });
    const body = { properties: { name: 'held-2', inputData: { letters: { jobInputType: 'UriFolder', uri } } } };
    const name = await batch.started(batch.invoke(body, { 'azureml-model-deployment': 'held' }));
    await until('two mini-batches to be done', async () => {
      return (await batch.jobNamed(name)).properties.mooring.progress.miniBatchesDone === 2;
    });
    const { code, stderr } = await platform.mooring('restart', '--data', platform.data);
    expect(code, stderr).toBe(0);
    writeFileSync(runsFile, '');
    writeFileSync(gate, '');
    const { properties } = await batch.reached(name, 'Completed');
    expect(properties.mooring.progress).toMatchObject({ succeeded: 10, failed: 0, skipped: 0 });
    expect(linesOf(readFileSync(runsFile, 'utf8')).toSorted()).toEqual(files.slice(4));
    expect(linesOf(batch.outputFile(name, 'predictions.csv'))).toEqual(files);
    expect(await batch.verified(name)).toMatchObject({ ok: true, missing: 0, twice: 0 });
  });

  it('end as they began although their deployment and endpoint go meanwhile', async () => {
    rmSync(gate, { force: true });
    const body = { properties: { name: 'held-3', inputData: { letters: { jobInputType: 'UriFolder', uri } } } };
    const name = await batch.started(batch.invoke(body, { 'azureml-model-deployment': 'held' }));
    await until('two mini-batches to be done', async () => {
      return (await batch.jobNamed(name)).properties.mooring.progress.miniBatchesDone === 2;
    });
    await platform.json('batch-deployment', 'delete', '-n', 'held', '-e', 'night', '--yes');
    expect((await batch.invoke(body, { 'azureml-model-deployment': 'held' })).status).toBe(200);
    const other = { properties: { ...body.properties, name: 'held-4' } };
    expect((await batch.invoke(other, { 'azureml-model-deployment': 'held' })).status).toBe(404);
    await platform.json('batch-endpoint', 'delete', '-n', 'night', '--yes');
    await until('the endpoint to be gone', async () => (await batch.invoke(body)).status === 404);
    writeFileSync(gate, '');
    expect(await platform.json('job', 'stream', '-n', name)).toMatchObject({ status: 'Completed' });
    expect(linesOf(batch.outputFile(name, 'predictions.csv'))).toEqual(files);
    expect(await batch.verified(name)).toMatchObject({ ok: true, missing: 0, twice: 0 });
  });
});
