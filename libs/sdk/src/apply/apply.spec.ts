import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadYaml } from '@mooring/azureml/yaml';
import { tempDir, type TempDir } from '@mooring/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { applyDeployment, createManagementClient, updateTraffic, type ManagementClient } from '../index.ts';
import { json, startSmallServer, type SmallServer } from '../testing/small-server.ts';

let server: SmallServer;
let client: ManagementClient;
let folder: TempDir;
beforeAll(async () => {
  server = await startSmallServer();
  client = createManagementClient({ url: server.url, token: 't' });
  folder = tempDir();
  mkdirSync(join(folder.path, 'code'));
  writeFileSync(join(folder.path, 'code', 'score.py'), 'def run(data): return data\n');
  writeFileSync(join(folder.path, 'weights.bin'), 'w');
  writeFileSync(
    join(folder.path, 'luca.yml'),
    `
name: luca
endpoint_name: cars
model: {path: weights.bin}
code_configuration: {code: code, scoring_script: score.py}
environment: {image: i, conda_file: {dependencies: [python=3.11]}}
instance_type: x
`,
  );
});
afterAll(async () => {
  await server.close();
  folder.remove();
});

/** A server that takes everything, and holds `etag` for the endpoint. */
let etag: number;
beforeEach(() => {
  etag = 1;
  server.answer((request, response) => {
    const path = request.url.split('?')[0] ?? '';
    if (path.endsWith('/startPendingUpload')) {
      const address = `${server.url}/blobs`;
      const blobReferenceForConsumption = { blobUri: address, credential: { sasUri: `${address}?sig=s` } };
      return json(response, 200, { blobReferenceForConsumption });
    }
    if (request.method === 'HEAD') return void response.writeHead(404).end();
    const stale = request.headers['if-match'] !== undefined && request.headers['if-match'] !== `"${etag}"`;
    if (stale)
      return json(response, 409, {
        error: {
          code: 'STALE_ETAG',
          message: 'stale',
          additionalInfo: [{ info: { code: 'aborted', reason: 'STALE_ETAG' } }],
        },
      });
    const properties = { provisioningState: 'Succeeded', traffic: { martina: 100 }, mirrorTraffic: {} };
    return json(response, 200, { id: path, name: path.split('/').at(-1), properties }, { etag: `"${etag}"` });
  });
});

const writes = () => server.seen.filter(({ method, url }) => method === 'PUT' && !url.startsWith('/blobs'));
const nameOf = (url: string): string => url.split('?')[0]?.split('/workspaces/default/')[1]?.split('/')[0] ?? '';

describe('applyDeployment', () => {
  it('stores what the deployment is made of, then the deployment with their ids; only that is guarded', async () => {
    const draft = await loadYaml(join(folder.path, 'luca.yml'), { kind: 'online-deployment' });
    await applyDeployment(draft, { client, ifMatch: '"1"' });
    expect(writes().map(({ url, headers }) => [nameOf(url), headers['if-match']])).toEqual([
      ['models', undefined],
      ['environments', undefined],
      ['codes', undefined],
      ['onlineEndpoints', '"1"'],
    ]);
    const { properties } = JSON.parse(writes()[3]?.body.toString() ?? '') as { properties: Record<string, unknown> };
    expect(properties).toMatchObject({
      model: expect.stringMatching(/\/models\/[0-9a-f]{64}\/versions\/1$/),
      environmentId: expect.stringMatching(/\/environments\/CliV2AnonymousEnvironment\/versions\/[0-9a-f]{64}$/),
      codeConfiguration: {
        codeId: expect.stringMatching(/\/codes\/[0-9a-f-]{36}\/versions\/1$/),
        scoringScript: 'score.py',
      },
    });
  });

  it('gives the same content the same names each time', async () => {
    const names = async (): Promise<string[]> => {
      server.seen.length = 0;
      await applyDeployment(await loadYaml(join(folder.path, 'luca.yml'), { kind: 'online-deployment' }), { client });
      return writes().map(({ url }) => url);
    };
    expect(await names()).toEqual(await names());
  });

  it('refuses a scoring script that is not uploaded, before anything is stored', async () => {
    writeFileSync(join(folder.path, 'code', '.amlignore'), '*.py\n');
    writeFileSync(join(folder.path, 'code', 'other.txt'), 'x');
    const draft = await loadYaml(join(folder.path, 'luca.yml'), { kind: 'online-deployment' });
    await expect(applyDeployment(draft, { client })).rejects.toThrow(/'score.py' is ignored by .amlignore/);
    expect(writes().map(({ url }) => nameOf(url))).not.toContain('onlineEndpoints');
    writeFileSync(join(folder.path, 'code', '.amlignore'), '');
  });
});

describe('updateTraffic', () => {
  it('looks again when somebody else changed the endpoint in between, and gives up after five times', async () => {
    let asked = 0;
    const change = () => {
      asked += 1;
      if (asked < 3) etag += 1;
      return { traffic: { luca: 100 } };
    };
    await updateTraffic('cars', change, { client });
    expect(asked).toBe(3);
    const never = (): object => {
      etag += 1;
      return {};
    };
    await expect(updateTraffic('cars', never, { client })).rejects.toMatchObject({ reason: 'STALE_ETAG' });
    expect(writes()).toHaveLength(3 + 5);
  });
});
