import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createFolderStore, sha256Tree } from '@mooring/storage';
import { eventually, startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import { startTestManagement, type Answered, type Asked, type TestManagement } from './testing/test-management.ts';
import { startUpload, uploadFolder } from './testing/uploads.ts';

let nats: TestNats;
let data: TempDir;
let management: TestManagement;
let query = '';
beforeAll(async () => {
  nats = await startTestNats();
  data = tempDir();
  const environment = { MOORING_MANAGEMENT_BLOB_BYTES_MAX: '100000', MOORING_MANAGEMENT_BLOCK_BYTES_MAX: '50000' };
  management = await startTestManagement({ nats, data: data.path, environment });
  query = (await startUpload(management)).query;
});
afterAll(async () => {
  await management.stop();
  await nats.stop();
  data.remove();
});

const blockBlob = { 'x-ms-blob-type': 'BlockBlob' };

/** A request to a blob, with the signature and without the token. */
function blob(method: string, path: string, asked: Asked & { more?: string } = {}): Promise<Answered> {
  const { more = '', ...rest } = asked;
  return management.send(method, `/blob/workspaceblobstore/${path}${query}${more}`, { token: 'none', ...rest });
}

const put = (path: string, raw: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  blob('PUT', path, { raw, headers: { ...blockBlob, ...headers } });

const fileOf = (path: string): string => readFileSync(join(management.artifacts, 'workspaceblobstore', path), 'utf8');
const temporaryFiles = (): string[] => readdirSync(join(management.artifacts, '.temporary'));

describe('a blob', () => {
  it('is put whole, asked for, read and read in part', async () => {
    const absent = await blob('HEAD', 'a/one.txt');
    expect(absent.status).toBe(404);
    expect(absent.headers.get('x-ms-error-code')).toBe('BlobNotFound');
    const made = await put('a/one.txt', 'hello world', { 'x-ms-version': '2024-11-04' });
    expect(made.status).toBe(201);
    expect(made.headers.get('x-ms-version')).toBe('2024-11-04');
    const head = await blob('HEAD', 'a/one.txt');
    expect(head.headers.get('content-length')).toBe('11');
    expect(head.headers.get('x-ms-blob-type')).toBe('BlockBlob');
    expect(head.headers.get('etag')).toBe(made.headers.get('etag'));
    expect(Date.parse(head.headers.get('last-modified') ?? '')).toBeGreaterThan(0);
    expect((await blob('GET', 'a/one.txt')).text).toBe('hello world');
    const part = await blob('GET', 'a/one.txt', { headers: { 'x-ms-range': 'bytes=6-8' } });
    expect([part.status, part.text, part.headers.get('content-range')]).toEqual([206, 'wor', 'bytes 6-8/11']);
    const beyond = await blob('GET', 'a/one.txt', { headers: { range: 'bytes=11-' } });
    expect([beyond.status, beyond.headers.get('x-ms-error-code')]).toEqual([416, 'InvalidRange']);
  });

  it('keeps every name that a file may have', async () => {
    for (const name of ['ü b.txt', 'a%2fb.txt', 'q?r#s.txt', 'plus+and&.txt', 'x'.repeat(200)]) {
      expect((await put(`names/${encodeURIComponent(name)}`, name)).status).toBe(201);
      expect(fileOf(`names/${name}`)).toBe(name);
    }
  });

  it('may be empty', async () => {
    expect((await put('a/empty', new Uint8Array(0))).status).toBe(201);
    expect((await blob('HEAD', 'a/empty')).headers.get('content-length')).toBe('0');
  });

  it('is made of blocks in the order of their list', async () => {
    const block = (id: string, raw: string) =>
      blob('PUT', 'a/blocks', { raw, more: `&comp=block&blockid=${encodeURIComponent(id)}` });
    expect((await block('MDE=', 'world')).status).toBe(201);
    expect((await block('MDA=', 'hello ')).status).toBe(201);
    expect((await blob('HEAD', 'a/blocks')).status).toBe(404);
    const list = '<BlockList><Latest>MDA=</Latest><Latest>MDE=</Latest></BlockList>';
    const md5 = createHash('md5').update(list).digest('base64');
    const made = await blob('PUT', 'a/blocks', { raw: list, more: '&comp=blocklist', headers: { 'content-md5': md5 } });
    expect(made.status).toBe(201);
    expect(fileOf('a/blocks')).toBe('hello world');
    const missing = await blob('PUT', 'a/blocks', {
      raw: '<BlockList><Latest>MDk=</Latest></BlockList>',
      more: '&comp=blocklist',
    });
    expect([missing.status, missing.headers.get('x-ms-error-code')]).toEqual([400, 'InvalidBlockList']);
    expect(fileOf('a/blocks')).toBe('hello world');
  });

  it('carries metadata, also set afterwards', async () => {
    await put('a/meta', 'x', { 'x-ms-meta-upload_status': 'started' });
    const headers = { 'x-ms-meta-upload_status': 'completed', 'x-ms-meta-name': 'fern' };
    expect((await blob('PUT', 'a/meta', { more: '&comp=metadata', headers })).status).toBe(200);
    const head = await blob('HEAD', 'a/meta');
    expect(head.headers.get('x-ms-meta-upload_status')).toBe('completed');
    expect(head.headers.get('x-ms-meta-name')).toBe('fern');
    expect((await blob('PUT', 'a/nothing', { more: '&comp=metadata', headers })).status).toBe(404);
  });

  it('is refused when its MD5 differs, and the old one stays', async () => {
    await put('a/md5', 'old');
    const changed = await put('a/md5', 'new', { 'content-md5': createHash('md5').update('other').digest('base64') });
    expect([changed.status, changed.headers.get('x-ms-error-code')]).toEqual([400, 'Md5Mismatch']);
    expect(fileOf('a/md5')).toBe('old');
  });

  it('is put only where there is none yet, when that is asked for', async () => {
    await put('a/first', 'one');
    const second = await put('a/first', 'two', { 'if-none-match': '*' });
    expect([second.status, second.headers.get('x-ms-error-code')]).toEqual([409, 'BlobAlreadyExists']);
  });

  it('larger than allowed leaves nothing behind, whether it says so before or not', async () => {
    const large = new Uint8Array(randomBytes(100_001));
    const said = await put('a/large', large);
    expect([said.status, said.headers.get('x-ms-error-code')]).toEqual([413, 'RequestBodyTooLarge']);
    const block = await blob('PUT', 'a/large', { raw: large.slice(0, 50_001), more: '&comp=block&blockid=MDA=' });
    expect(block.status).toBe(413);
    const unsaid = await fetch(`${management.url}/blob/workspaceblobstore/a/large${query}`, {
      method: 'PUT',
      headers: blockBlob,
      body: new Blob([large]).stream(),
      duplex: 'half',
    } as RequestInit);
    expect(unsaid.status).toBe(413);
    expect((await blob('HEAD', 'a/large')).status).toBe(404);
    expect(temporaryFiles()).toEqual([]);
  });

  it('whose sender goes away leaves nothing behind', async () => {
    const { hostname, port } = new URL(management.url);
    const socket = createConnection({ host: hostname, port: Number(port) });
    socket.write(
      `PUT /blob/workspaceblobstore/a/cut${query} HTTP/1.1\r\nhost: x\r\nx-ms-blob-type: BlockBlob\r\ncontent-length: 1000\r\n\r\nabc`,
    );
    await eventually(() => temporaryFiles().length === 1);
    socket.destroy();
    await eventually(() => temporaryFiles().length === 0);
    expect((await blob('HEAD', 'a/cut')).status).toBe(404);
  });

  it('is listed with what is known of it', async () => {
    await put('list/a', '1');
    await put('list/b', '22', { 'x-ms-meta-k': 'v' });
    const { status, text } = await management.send(
      'GET',
      `/blob/workspaceblobstore${query}&restype=container&comp=list&prefix=list/&maxresults=1`,
      { token: 'none' },
    );
    expect(status).toBe(200);
    expect(text).toContain('<Name>list/a</Name>');
    expect(text).toContain('<NextMarker>list/a</NextMarker>');
    const rest = await blob('GET', '', { more: '&restype=container&comp=list&prefix=list/&marker=list/a' });
    expect(rest.text).toContain('<Name>list/b</Name>');
    expect(rest.text).toContain('<k>v</k>');
  });

  it('is found behind an account’s name as well', async () => {
    await put('a/account', 'x');
    const path = `/blob/mooring.blob.local/workspaceblobstore/a/account${query}`;
    expect((await management.send('HEAD', path, { token: 'none' })).status).toBe(200);
  });
});

describe('the right to upload', () => {
  it('comes with the signature, or with the management token, and not otherwise', async () => {
    const path = '/blob/workspaceblobstore/a/right';
    const asked = { raw: 'x', headers: blockBlob };
    expect((await management.send('PUT', path, { ...asked, token: 'none' })).status).toBe(403);
    expect((await management.send('PUT', path, { ...asked, token: 'wrong' })).status).toBe(401);
    expect((await management.send('PUT', path, asked)).status).toBe(201);
    const forged = `${path}${query.replace(/sig=.{6}/, 'sig=AAAAAA')}`;
    const refused = await management.send('PUT', forged, { ...asked, token: 'none' });
    expect([refused.status, refused.headers.get('x-ms-error-code')]).toEqual([403, 'AuthenticationFailed']);
  });

  it('is for its own container alone', async () => {
    const other = await management.send('PUT', `/blob/another/a${query}`, {
      raw: 'x',
      headers: blockBlob,
      token: 'none',
    });
    expect([other.status, other.headers.get('x-ms-error-code')]).toEqual([403, 'AuthorizationFailure']);
  });

  it.each([
    '..%2f..%2fsecrets%2fadmin.token',
    'a/..%2f..%2f..%2fx',
    'a%2f%2fb',
    'a/%00',
    'a%5cb',
    `${'d/'.repeat(40)}x`,
    `${'x'.repeat(300)}`,
    '.',
  ])('never leads out of the container: %s', async (path) => {
    const refused = await put(path, 'x');
    expect([400, 403, 501]).toContain(refused.status);
    expect(readFileSync(join(data.path, 'secrets/admin.token'), 'utf8').trim()).toBe(management.token);
  });

  it('is told off in XML where XML is wanted, in JSON otherwise', async () => {
    const xml = await blob('GET', 'a/none', { headers: { accept: 'application/xml' } });
    expect(xml.text).toContain('<Error><Code>BlobNotFound</Code>');
    const json = await blob('GET', 'a/none');
    expect(json.json.error.additionalInfo[0].info.reason).toBe('ARTIFACT_NOT_FOUND');
  });

  it('does not cover what is not there: other blob types, deletions, leases', async () => {
    expect((await put('a/page', 'x', { 'x-ms-blob-type': 'PageBlob' })).status).toBe(400);
    expect((await blob('DELETE', 'a/one.txt')).status).toBe(501);
    expect((await blob('PUT', 'a/one.txt', { more: '&comp=lease' })).status).toBe(501);
    expect((await blob('PUT', 'a/x', { raw: 'x', more: '&comp=block&blockid=../x' })).status).toBe(400);
  });
});

describe('registered content', () => {
  it('is written once: another upload’s address does not overwrite or extend it', async () => {
    const modelUri = await uploadFolder(management, 'victim/add', { 'add.onnx': 'good' });
    const registered = await management.send('PUT', 'models/add/versions/1', {
      body: { properties: { modelUri, modelType: 'custom_model' } },
    });
    expect(registered.status).toBe(201);
    const file = 'LocalUpload/victim/add/add.onnx';
    const changed = await put(file, 'evil');
    expect([changed.status, changed.headers.get('x-ms-error-code')]).toEqual([409, 'BlobImmutable']);
    expect(changed.json.error.code).toBe('BlobImmutable');
    await blob('PUT', file, { raw: 'evil', more: '&comp=block&blockid=MDA=' });
    const list = '<BlockList><Latest>MDA=</Latest></BlockList>';
    expect((await blob('PUT', file, { raw: list, more: '&comp=blocklist' })).status).toBe(409);
    expect((await put('LocalUpload/victim/add/more.onnx', 'evil')).status).toBe(409);
    expect((await put(file, 'good')).status).toBe(201);
    expect(fileOf(file)).toBe('good');
    const place = 'workspaceblobstore/LocalUpload/victim/add';
    const digest = await sha256Tree(join(management.artifacts, place));
    expect(await createFolderStore(management.artifacts).seal(place)).toBe(digest);
  });

  it('is never the folder of all uploads', async () => {
    const { base } = await startUpload(management);
    const refused = await management.send('PUT', 'models/all/versions/1', {
      body: { properties: { modelUri: `${base}/LocalUpload`, modelType: 'custom_model' } },
    });
    expect([refused.status, refused.json.error.target]).toEqual([400, 'properties.modelUri']);
  });
});
