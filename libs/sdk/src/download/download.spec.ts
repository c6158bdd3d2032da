import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, type TempDir } from '@mooring/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createManagementClient,
  downloadBlob,
  downloadFolder,
  downloadJobOutput,
  type ManagementClient,
} from '../index.ts';
import { json, startSmallServer, type SmallServer } from '../testing/small-server.ts';

let server: SmallServer;
let client: ManagementClient;
let folder: TempDir;
beforeAll(async () => {
  server = await startSmallServer();
  client = createManagementClient({ url: server.url, token: 'secret' });
});
beforeEach(() => void (folder = tempDir()));
afterEach(() => folder.remove());
afterAll(() => server.close());

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const digest = (file: string, text: string) => ({
  file,
  bytes: Buffer.byteLength(text),
  lines: 1,
  sha256: sha256(text),
});
const output = { container: 'workspaceblobstore', folder: 'azureml/night 1/score' };

/** A store that holds `blobs`, by their last name. */
function holds(blobs: Record<string, string>): void {
  server.answer((request, response) => {
    const name = decodeURIComponent(request.url.split('/score/')[1] ?? '');
    const text = blobs[name];
    if (text === undefined) return json(response, 404, { error: { code: 'BlobNotFound', message: 'none' } });
    response.writeHead(200, { 'content-length': Buffer.byteLength(text), etag: '"1"' }).end(text);
  });
}

function jobOutput(predictions: string, more: Record<string, unknown> = {}): Record<string, string> {
  const manifest = {
    predictions: digest('predictions.csv', predictions),
    errors: digest('errors.jsonl', ''),
    parts: digest('parts.jsonl', '{}\n'),
    scriptFiles: [digest('own/a b.txt', 'mine')],
    ...more,
  };
  return {
    'manifest.json': JSON.stringify(manifest),
    'predictions.csv': predictions,
    'errors.jsonl': '',
    'parts.jsonl': '{}\n',
    'own/a b.txt': 'mine',
    'summary.json': '{}',
  };
}

describe('the output of a job', () => {
  it('is brought whole, the manifest last, and what is there already is not fetched again', async () => {
    holds(jobOutput('1\n2\n'));
    expect(await downloadJobOutput(output, folder.path, { client })).toMatchObject({ files: 6, present: 0 });
    expect(server.seen[0]?.url).toBe('/blob/workspaceblobstore/azureml/night%201/score/manifest.json');
    expect(server.seen[0]?.headers.authorization).toBe('Bearer secret');
    expect(server.seen.at(-1)?.url).toContain('manifest.json');
    const files = readdirSync(folder.path, { recursive: true }).toSorted();
    expect(files).toEqual([
      'errors.jsonl',
      'manifest.json',
      'own',
      'own/a b.txt',
      'parts.jsonl',
      'predictions.csv',
      'summary.json',
    ]);
    expect(readFileSync(join(folder.path, 'predictions.csv'), 'utf8')).toBe('1\n2\n');
    expect(await downloadJobOutput(output, folder.path, { client })).toMatchObject({ files: 6, present: 5, bytes: 2 });
  });

  it('is refused where a file is not what the manifest says, and nothing of that file stays', async () => {
    holds({ ...jobOutput('1\n2\n'), 'predictions.csv': '1\n3\n' });
    writeFileSync(join(folder.path, 'predictions.csv'), 'of an earlier job');
    await expect(downloadJobOutput(output, folder.path, { client })).rejects.toMatchObject({
      reason: 'DOWNLOAD_DIFFERS',
    });
    expect(readdirSync(folder.path)).toEqual(['predictions.csv']);
    expect(readFileSync(join(folder.path, 'predictions.csv'), 'utf8')).toBe('of an earlier job');
  });

  it('is not there before the job has ended', async () => {
    holds({});
    await expect(downloadJobOutput(output, folder.path, { client })).rejects.toMatchObject({ reason: 'NO_OUTPUT' });
  });

  it.each(['../x', '/etc/x', 'a/../../x', 'a\\b', '', 'a//b', './a'])(
    'cannot lead out of its folder by a file named %j',
    async (file) => {
      holds(jobOutput('', { scriptFiles: [digest(file, 'x')] }));
      await expect(downloadJobOutput(output, folder.path, { client })).rejects.toMatchObject({
        reason: 'BAD_MANIFEST',
      });
      expect(readdirSync(folder.path)).toEqual([]);
    },
  );

  it('is not guessed at where the manifest is no JSON', async () => {
    holds({ 'manifest.json': 'x' });
    await expect(downloadJobOutput(output, folder.path, { client })).rejects.toMatchObject({ reason: 'BAD_MANIFEST' });
  });
});

describe('a blob', () => {
  const blob = { container: 'c', path: 'score/big' };

  it('goes on where the connection broke', async () => {
    const text = 'abcdefghij'.repeat(10_000);
    server.answer((request, response, nth) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
      const rest = text.slice(from);
      response.writeHead(from === 0 ? 200 : 206, { 'content-length': rest.length, etag: '"1"' });
      if (nth > 1) return void response.end(rest);
      response.write(rest.slice(0, 50_000), () => response.destroy());
    });
    const file = join(folder.path, 'deep', 'big');
    expect(await downloadBlob({ ...blob, sha256: sha256(text), bytes: text.length }, file, { client })).toBe(true);
    expect(readFileSync(file, 'utf8')).toBe(text);
    expect(server.seen[1]?.headers.range).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('that changed meanwhile is refused', async () => {
    server.answer((request, response, nth) => {
      response.writeHead(request.headers.range === undefined ? 200 : 206, { 'content-length': 10, etag: `"${nth}"` });
      response.write('abc', () => response.destroy());
    });
    const file = join(folder.path, 'big');
    await expect(downloadBlob(blob, file, { client })).rejects.toMatchObject({ reason: 'DOWNLOAD_DIFFERS' });
    expect(existsSync(file)).toBe(false);
  });

  it('leaves nothing when the user stops', async () => {
    const cancel = new AbortController();
    server.answer((_request, response) => {
      response.writeHead(200, { 'content-length': 10, etag: '"1"' });
      response.write('abc', () => cancel.abort());
    });
    const download = downloadBlob(blob, join(folder.path, 'big'), { client, signal: cancel.signal });
    await expect(download).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(folder.path)).toEqual([]);
  });
});

describe('a folder of the store', () => {
  const folderOf = { container: 'c', folder: 'out/run 1' };
  const blobXml = (name: string, bytes: number): string =>
    `<Blob><Name>${name}</Name><Properties><Content-Length>${bytes}</Content-Length></Properties></Blob>`;

  /** A store that lists `pages` one after another, and holds 3 bytes under every name. */
  function lists(...pages: string[]): void {
    server.answer((request, response) => {
      const query = new URL(request.url, server.url).searchParams;
      if (query.get('comp') !== 'list') return void response.writeHead(200, { 'content-length': 3 }).end('abc');
      expect([query.get('restype'), query.get('prefix')]).toEqual(['container', 'out/run 1']);
      const at = Number(query.get('marker') ?? 0);
      const next = at + 1 < pages.length ? String(at + 1) : '';
      response.end(
        `<EnumerationResults><Blobs>${pages[at]}</Blobs><NextMarker>${next}</NextMarker></EnumerationResults>`,
      );
    });
  }

  it('is brought page by page, with what lies in its folders and nothing of its neighbours', async () => {
    lists(blobXml('out/run 1/a&amp;b.csv', 3), blobXml('out/run 1/deep/c', 3) + blobXml('out/run 10/d', 3));
    expect(await downloadFolder(folderOf, folder.path, { client })).toEqual({ files: 2, bytes: 6, present: 0 });
    expect(readdirSync(folder.path, { recursive: true }).toSorted()).toEqual(['a&b.csv', 'deep', 'deep/c']);
  });

  it('may be one file', async () => {
    lists(blobXml('out/run 1', 3));
    await downloadFolder(folderOf, folder.path, { client });
    expect(readdirSync(folder.path)).toEqual(['run 1']);
  });

  it('is refused where a file has another size than was listed, leads elsewhere, or where there is none', async () => {
    lists(blobXml('out/run 1/a', 4));
    await expect(downloadFolder(folderOf, folder.path, { client })).rejects.toMatchObject({
      reason: 'DOWNLOAD_DIFFERS',
    });
    lists(blobXml('out/run 1/../../x', 3));
    await expect(downloadFolder(folderOf, folder.path, { client })).rejects.toMatchObject({ reason: 'BAD_FILE_NAME' });
    lists('');
    await expect(downloadFolder(folderOf, folder.path, { client })).rejects.toMatchObject({ reason: 'NO_OUTPUT' });
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
