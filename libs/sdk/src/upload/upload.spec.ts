import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempDir, type TempDir } from '@mooring/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { json, startSmallServer, type SmallServer } from '../testing/small-server.ts';
import { compileIgnoreRules } from './ignore-rules.ts';
import { scanUpload } from './scan.ts';
import { sendUpload } from './send.ts';

let folder: TempDir;
beforeEach(() => (folder = tempDir()));
afterEach(() => folder.remove());

function write(name: string, content: string | Buffer = name): string {
  const file = join(folder.path, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
  return file;
}

describe('ignore rules', () => {
  it.each<[string[], string, boolean]>([
    [['*.pyc'], 'a/b.pyc', true],
    [['*.pyc'], 'a/b.py', false],
    [['build/'], 'build', true],
    [['/build'], 'a/build', false],
    [['a/b'], 'a/b', true],
    [['a/b'], 'x/a/b', false],
    [['a/**/c'], 'a/x/y/c', true],
    [['a/**/c'], 'a/c', true],
    [['**/c'], 'x/c', true],
    [['?.txt'], 'a.txt', true],
    [['?.txt'], 'ab.txt', false],
    [['*.txt', '!keep.txt'], 'keep.txt', false],
    [['!keep.txt', '*.txt'], 'keep.txt', true],
    [['# *.txt', '', '   '], 'a.txt', false],
    [['a.b'], 'axb', false],
    [['a+(b)[c]{d}^$|\\'], 'a+(b)[c]{d}^$|\\', true],
  ])('%j: %s is left out: %s', (lines, path, left) => {
    expect(compileIgnoreRules(lines)(path, true)).toBe(left);
  });

  it('means folders only by a slash at the end', () => {
    expect(compileIgnoreRules(['build/'])('build', false)).toBe(false);
  });
});

describe('scanUpload', () => {
  const names = async (): Promise<string[]> => (await scanUpload(folder.path)).files.map(({ name }) => name);

  it('lists the files in a fixed order, without bytecode and what is ignored', async () => {
    for (const name of ['b.py', 'a/c.py', 'a.py', '__pycache__/x.pyc', '.git/config', 'data/big.bin', 'a/d.log'])
      write(name);
    write('.amlignore', 'data/\n*.log\n');
    write('.gitignore', '*.py\n');
    expect(await names()).toEqual(['a.py', 'a/c.py', 'b.py']);
  });

  it('reads .gitignore where there is no .amlignore', async () => {
    write('a.py');
    write('b.log');
    write('.gitignore', '*.log');
    expect(await names()).toEqual(['a.py']);
  });

  it('takes of a folder only what a pattern matches', async () => {
    for (const name of ['a.jpg', 'b.png', 'deep/c.jpg', '.git/d.jpg']) write(name);
    const matching = async (glob: string) => (await scanUpload(folder.path, { glob })).files.map(({ name }) => name);
    expect(await matching('*.jpg')).toEqual(['a.jpg']);
    expect(await matching('**/*.jpg')).toEqual(['a.jpg', 'deep/c.jpg']);
    await expect(matching('*.gif')).rejects.toThrow(/cannot be uploaded/);
  });

  it('refuses a folder with too many files', async () => {
    for (const name of ['a', 'b', 'c']) write(name);
    await expect(scanUpload(folder.path, { filesMax: 2 })).rejects.toMatchObject({ reason: 'UPLOAD_REFUSED' });
    expect(await scanUpload(folder.path, { filesMax: 3 })).toMatchObject({ files: { length: 3 } });
  });

  it('digests names and content, and nothing else', async () => {
    write('a.py', 'x');
    const first = await scanUpload(folder.path);
    write('a.py', 'x');
    expect((await scanUpload(folder.path)).sha256).toBe(first.sha256);
    write('a.py', 'y');
    expect((await scanUpload(folder.path)).sha256).not.toBe(first.sha256);
    write('a.py', 'x');
    write('b.py', '');
    expect((await scanUpload(folder.path)).sha256).not.toBe(first.sha256);
  });

  it('takes one file', async () => {
    const file = write('model.onnx', 'abc');
    expect(await scanUpload(file)).toMatchObject({ name: 'model.onnx', folder: false, bytes: 3 });
  });

  it('follows a link inside the folder', async () => {
    write('a.py');
    symlinkSync('a.py', join(folder.path, 'b.py'));
    expect(await names()).toEqual(['a.py', 'b.py']);
  });

  it('refuses every link that leads out of the folder, and everything that is no file', async () => {
    const inner = join(folder.path, 'model');
    write('secret.txt');
    write('model/a.py');
    symlinkSync('/etc/passwd', join(inner, 'absolute'));
    symlinkSync('../secret.txt', join(inner, 'above'));
    symlinkSync('nothing', join(inner, 'broken'));
    symlinkSync('..', join(inner, 'folder'));
    mkdirSync(join(inner, 'sub'));
    symlinkSync('sub', join(inner, 'inside'));
    execFileSync('mkfifo', [join(inner, 'pipe')]);
    const refusal = await scanUpload(inner).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ code: 'invalid_argument', reason: 'UPLOAD_REFUSED' });
    const { problems } = refusal as { problems: { path: string; problem: string }[] };
    expect(Object.fromEntries(problems.map(({ path, problem }) => [path, problem]))).toEqual({
      absolute: 'is a link to /etc/passwd, outside the folder',
      above: `is a link to ${folder.path}/secret.txt, outside the folder`,
      broken: 'is a link to nothing',
      folder: `is a link to ${folder.path}, outside the folder`,
      inside: 'is a link to a folder',
      pipe: 'is neither a file nor a folder',
    });
  });

  it('refuses a device, a pipe, and a folder of which nothing is left', async () => {
    await expect(scanUpload('/dev/zero')).rejects.toMatchObject({ reason: 'UPLOAD_REFUSED' });
    write('.gitignore', '*');
    await expect(scanUpload(folder.path)).rejects.toMatchObject({ reason: 'UPLOAD_REFUSED' });
  });
});

describe('sendUpload', () => {
  let server: SmallServer;
  beforeAll(async () => void (server = await startSmallServer()));
  afterAll(() => server.close());

  const target = () => ({ blobUri: `${server.url}/container/`, sasUri: `${server.url}/container?sig=s` });
  /** A blob store that keeps what it is sent. */
  const store = (there: Record<string, number> = {}) => {
    const blobs = new Map<string, Buffer>();
    server.answer((request, response) => {
      const url = new URL(request.url, server.url);
      const path = decodeURIComponent(url.pathname);
      if (request.method === 'HEAD') {
        const bytes = Object.entries(there).find(([name]) => path.endsWith(name))?.[1];
        return void response.writeHead(bytes === undefined ? 404 : 200, { 'content-length': bytes ?? 0 }).end();
      }
      blobs.set(`${path}${url.searchParams.get('comp') ?? ''}${url.searchParams.get('blockid') ?? ''}`, request.body);
      return void response.writeHead(201).end();
    });
    return blobs;
  };

  it('sends each file to a path that names the content, with the signature', async () => {
    write('a.py', 'A');
    write('sub/b c#.py', 'B');
    const set = { ...(await scanUpload(folder.path)), name: 'code' };
    const blobs = store();
    const address = await sendUpload(set, target(), {});
    const base = `/container/LocalUpload/${set.sha256}/code`;
    expect(address).toBe(`${server.url}${base}`);
    expect(Object.fromEntries([...blobs].map(([path, body]) => [path, body.toString()]))).toEqual({
      [`${base}/a.py`]: 'A',
      [`${base}/sub/b c#.py`]: 'B',
    });
    expect(server.seen.every(({ url }) => url.endsWith('?sig=s'))).toBe(true);
    expect(server.seen.every(({ headers }) => headers.authorization === undefined)).toBe(true);
  });

  it('does not send again what is there with its size', async () => {
    write('a.py', 'AAA');
    write('b.py', 'B');
    const set = await scanUpload(folder.path);
    const blobs = store({ 'a.py': 3, 'b.py': 7 });
    await sendUpload(set, target(), {});
    expect([...blobs.keys()].map((path) => path.split('/').at(-1))).toEqual(['b.py']);
  });

  it('tells its progress to the last byte', async () => {
    for (let index = 0; index < 10; index += 1) write(`${index}.bin`, Buffer.alloc(100));
    store();
    const told: number[] = [];
    await sendUpload(await scanUpload(folder.path), target(), { onProgress: ({ bytesDone }) => told.push(bytesDone) });
    expect(told).toHaveLength(10);
    expect(told.at(-1)).toBe(1000);
  });

  it('sends a large file in blocks, then their list', async () => {
    const file = write('big.bin', Buffer.alloc(64 * 1024 * 1024 + 5, 1));
    const blobs = store();
    await sendUpload(await scanUpload(file), target(), {});
    const blocks = [...blobs].filter(([path]) => path.includes('/big.bin') && !path.endsWith('blocklist'));
    expect(blocks.map(([, body]) => body.length)).toEqual([2 ** 24, 2 ** 24, 2 ** 24, 2 ** 24, 5]);
    const list = [...blobs].find(([path]) => path.endsWith('blocklist'))?.[1].toString() ?? '';
    expect(list.match(/<Latest>/g)).toHaveLength(5);
  });

  it('tries a file again while the store is unavailable, and gives up with its reason', async () => {
    const file = write('a.bin', 'A');
    server.answer((request, response, nth) => {
      if (request.method === 'HEAD') return void response.writeHead(404).end();
      return nth < 4
        ? json(response, 503, { error: { code: 'ServerBusy', message: 'busy' } }, { 'retry-after': '0' })
        : void response.writeHead(201).end();
    });
    await sendUpload(await scanUpload(file), target(), {});
    expect(server.seen.filter(({ method }) => method === 'PUT')).toHaveLength(3);
    server.answer((request, response) =>
      request.method === 'HEAD'
        ? void response.writeHead(404).end()
        : json(response, 413, { error: { code: 'TooLarge', message: 'full' } }),
    );
    await expect(sendUpload(await scanUpload(file), target(), {})).rejects.toMatchObject({ code: 'too_large' });
  });

  it('stops all files when one fails or the user cancels', async () => {
    for (let index = 0; index < 50; index += 1) write(`${index}.bin`);
    const set = await scanUpload(folder.path);
    server.answer((_request, response) => json(response, 403, {}));
    await expect(sendUpload(set, target(), {})).rejects.toMatchObject({ code: 'permission_denied' });
    expect(server.seen.length).toBeLessThan(10);
    const cancel = new AbortController();
    server.answer(() => cancel.abort());
    await expect(sendUpload(set, target(), { signal: cancel.signal })).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('says when the server gave no address', async () => {
    const set = await scanUpload(write('a.bin'));
    await expect(sendUpload(set, { blobUri: '', sasUri: '' }, {})).rejects.toMatchObject({
      reason: 'BAD_UPLOAD_ADDRESS',
    });
  });
});
