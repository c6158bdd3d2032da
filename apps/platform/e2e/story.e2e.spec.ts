import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cars,
  endpointYaml,
  figure,
  fixtures,
  onnxYaml,
  parallel,
  startPlatform,
  topology,
  until,
  type Platform,
} from './harness.ts';

interface Prediction {
  file: string;
  type: string;
  colour: string;
  type_probabilities: Record<string, number>;
  colour_probabilities: Record<string, number>;
}

const images = readdirSync(join(cars, 'images')).toSorted();
const photo = (file: string): string =>
  JSON.stringify({ image: readFileSync(join(cars, 'images', file)).toString('base64') });
const predictionsOf = (who: string): Prediction[] =>
  (JSON.parse(readFileSync(join(cars, who, 'predictions.json'), 'utf8')) as { predictions: Prediction[] }).predictions;
const iris = JSON.stringify({ data: [[5.1, 3.5, 1.4, 0.2]] });

let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
});
afterAll(() => platform.remove());

describe(`the story of cars (${topology} topology)`, () => {
  let key = '';

  it('makes an endpoint with a URL and two keys', async () => {
    const made = await platform.json('online-endpoint', 'create', '-f', join(cars, 'endpoint.yml'));
    expect(made).toMatchObject({ name: 'cars', auth_mode: 'key', provisioning_state: 'Succeeded', traffic: {} });
    expect(made['scoring_uri']).toBe(`${platform.http}/endpoints/cars/score`);
    key = await platform.key('cars');
    expect(key.length).toBeGreaterThan(30);
  });

  it('deploys the scoring scripts of Martina and Luca', async () => {
    for (const who of ['martina', 'luca']) {
      const made = await platform.json('online-deployment', 'create', '-f', join(cars, `${who}.yml`));
      expect(made).toMatchObject({ name: who, provisioning_state: 'Succeeded', instance_count: 1 });
    }
  });

  it.each(['martina', 'luca'])(
    'answers all 200 photos as %s predicted them, pinned by header while it has no traffic',
    async (who) => {
      const wanted = predictionsOf(who);
      const answers = await parallel(images.length, 4, (index) =>
        platform.send('/endpoints/cars/score', {
          key,
          headers: { 'content-type': 'application/json', 'azureml-model-deployment': who },
          body: photo(images[index] ?? ''),
        }),
      );
      let largest = 0;
      for (const [index, answer] of answers.entries()) {
        expect(answer.status, answer.body.toString()).toBe(200);
        expect(answer.headers['azureml-model-deployment']).toBe(who);
        const got = JSON.parse(answer.body.toString()) as Prediction;
        const want = wanted.find((prediction) => prediction.file === images[index]);
        expect([got.type, got.colour]).toEqual([want?.type, want?.colour]);
        for (const field of ['type_probabilities', 'colour_probabilities'] as const) {
          for (const [name, value] of Object.entries(want?.[field] ?? {})) {
            largest = Math.max(largest, Math.abs((got[field][name] ?? Number.NaN) - value));
          }
        }
      }
      expect(largest).toBeLessThanOrEqual(1e-3);
      figure(
        `A2 ${topology} ${who} script: 200 photos, 200 right, largest difference of a probability ${largest.toExponential(1)}`,
      );
    },
  );

  it('answers 404 while nothing has live traffic, and 401 without the key', async () => {
    expect((await platform.send('/endpoints/cars/score', { key, body: photo('car-000.png') })).status).toBe(404);
    expect((await platform.send('/endpoints/cars/score', { body: photo('car-000.png') })).status).toBe(401);
    expect((await platform.send('/endpoints/cars/score', { key: 'wrong', body: '{}' })).status).toBe(401);
  });

  it('refuses to delete a deployment that has live traffic', async () => {
    await platform.json('online-endpoint', 'update', '-n', 'cars', '--traffic', 'martina=100');
    const refused = await platform.mooring('online-deployment', 'delete', '-n', 'martina', '-e', 'cars', '--yes');
    expect(refused.code).not.toBe(0);
    expect(refused.stderr).toMatch(/traffic/);
  });

  it('lets one key be made new while the other works, everywhere within a second', async () => {
    const before = await platform.json<Record<string, string>>('online-endpoint', 'get-credentials', '-n', 'cars');
    await platform.json('online-endpoint', 'regenerate-keys', '-n', 'cars', '--key-type', 'primary');
    const at = Date.now();
    await until('the old key to be refused', async () => {
      const old = await platform.send('/endpoints/cars/score', {
        key: before['primaryKey'],
        body: photo('car-000.png'),
      });
      return old.status === 401;
    });
    expect(Date.now() - at).toBeLessThan(1_000);
    expect(
      (await platform.send('/endpoints/cars/score', { key: before['secondaryKey'], body: photo('car-000.png') }))
        .status,
    ).toBe(200);
    key = await platform.key('cars');
    expect((await platform.send('/endpoints/cars/score', { key, body: photo('car-000.png') })).status).toBe(200);
  });

  it('deletes everything again', async () => {
    await platform.json('online-endpoint', 'delete', '-n', 'cars', '--yes');
    const gone = await platform.mooring('online-endpoint', 'show', '-n', 'cars');
    expect(gone.code).toBe(3);
    await until('the data plane to forget the endpoint', async () => {
      return (await platform.send('/endpoints/cars/score', { key, body: '{}' })).status === 404;
    });
  });
});

describe(`traffic and mirror (${topology} topology)`, () => {
  let key = '';

  beforeAll(async () => {
    await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml('split')));
    for (const name of ['blue', 'green']) {
      const file = platform.yaml(onnxYaml('split', name, join(fixtures, 'iris-onnx/model.onnx')));
      await platform.json('online-deployment', 'create', '-f', file);
    }
    key = await platform.key('split');
  });

  it('splits 10,000 requests 90 to 10 within 1.5 points, and obeys every pin', async () => {
    await platform.json('online-endpoint', 'update', '-n', 'split', '--traffic', 'blue=90 green=10');
    await until('the split', async () => {
      const answers = await parallel(40, 8, () => platform.send('/endpoints/split/score', { key, body: iris }));
      return answers.some((answer) => answer.headers['azureml-model-deployment'] === 'green');
    });
    const total = topology === 'default' ? 10_000 : 2_000;
    const answers = await parallel(total, 8, () => platform.send('/endpoints/split/score', { key, body: iris }));
    expect(answers.filter((answer) => answer.status !== 200)).toEqual([]);
    const green = answers.filter((answer) => answer.headers['azureml-model-deployment'] === 'green').length;
    const percent = (100 * green) / total;
    figure(`A4 ${topology} split 90/10: ${total} requests, green ${percent.toFixed(2)} %, failed 0`);
    expect(Math.abs(percent - 10)).toBeLessThan(topology === 'default' ? 1.5 : 3.5);
    const pinned = await parallel(500, 8, () =>
      platform.send('/endpoints/split/score', { key, body: iris, headers: { 'azureml-model-deployment': 'green' } }),
    );
    expect(new Set(pinned.map((answer) => answer.headers['azureml-model-deployment']))).toEqual(new Set(['green']));
  });

  it('mirrors 20 % of the live requests within 2 points and compares every copy', async () => {
    await platform.json(
      'online-endpoint',
      'update',
      '-n',
      'split',
      '--traffic',
      'blue=100 green=0',
      '--mirror-traffic',
      'green=20',
    );
    await until('the mirror', async () => {
      await parallel(50, 8, () => platform.send('/endpoints/split/score', { key, body: iris }));
      return (await mirrorReport()).sent > 0;
    });
    await settled();
    const before = await mirrorReport();
    const total = 4_000;
    await parallel(total, 8, () => platform.send('/endpoints/split/score', { key, body: iris }));
    await settled();
    const after = await mirrorReport();
    const sent = after.sent + after.dropped - before.sent - before.dropped;
    const compared = sum(after.compared) - sum(before.compared);
    figure(
      `A4 ${topology} mirror 20 %: ${total} requests, ${((100 * sent) / total).toFixed(2)} % copied, ${compared} compared, ${after.dropped - before.dropped} dropped, ${after.compared.failed} not taken by a busy instance`,
    );
    expect(Math.abs((100 * sent) / total - 20)).toBeLessThan(2);
    expect(compared).toBe(after.sent - before.sent);
    // The same model never differs. A copy that a busy instance did not take, because copies yield, counts as failed.
    expect(after.compared.differs, JSON.stringify(after.recentDifferences.slice(0, 5))).toBe(0);
    expect(after.compared.failed).toBeLessThan(sent / 2);
  });

  interface Report {
    sent: number;
    dropped: number;
    compared: { equal: number; within: number; differs: number; failed: number };
    recentDifferences: readonly unknown[];
  }

  const sum = ({ equal, within, differs, failed }: Report['compared']): number => equal + within + differs + failed;

  async function mirrorReport(): Promise<Report> {
    const reports = await platform.json<Report[]>('online-endpoint', 'mirror-report', '-n', 'split');
    return (
      reports[0] ?? {
        sent: 0,
        dropped: 0,
        compared: { equal: 0, within: 0, differs: 0, failed: 0 },
        recentDifferences: [],
      }
    );
  }

  /** Until two reports a moment apart are the same and everything that was sent is compared. */
  async function settled(): Promise<void> {
    let last = '';
    await until('the mirror report to settle', async () => {
      const report = await mirrorReport();
      const now = JSON.stringify([report.sent, report.compared]);
      const same = now === last && report.sent === sum(report.compared);
      last = now;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      return same;
    });
  }
});
