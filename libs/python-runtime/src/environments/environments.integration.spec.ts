import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { AddressInfo } from 'node:net';
import type { EnvironmentVersionSpec } from '@mooring/domain';
import type { PlatformError } from '@mooring/errors';
import { eventually, tempDir } from '@mooring/testing';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createEnvironments, type Environments, type EnvironmentsOptions } from '../index.ts';

const log = pino({ level: 'silent' });
let folder: string;
let lines: string[];
const cleanups: (() => void)[] = [];

beforeEach(() => {
  const dir = tempDir();
  cleanups.push(dir.remove);
  folder = join(dir.path, 'environments');
  lines = [];
});

afterEach(() => {
  for (const cleanup of cleanups.splice(0).toReversed()) cleanup();
});

describe('an environment without packages', () => {
  it('is there within two seconds, without a network and without uv', async () => {
    const startedMs = performance.now();
    const made = await prepare(undefined, { toolsDir: '/nowhere', environment: offline() });
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(await python(made.interpreter, 'import sys; print(sys.prefix)')).toBe(join(folder, made.digest));
    expect(made.warnings).toEqual([]);
  });

  it('is the same one for everybody, and is found again at once', async () => {
    const [one, other] = await Promise.all([prepare(undefined), prepare(conda([]))]);
    expect(one).toEqual(other);
    const before = statSync(join(folder, one.digest)).birthtimeMs;
    await prepare(undefined);
    expect(statSync(join(folder, one.digest)).birthtimeMs).toBe(before);
    expect(lines.at(-1)).toContain('is there already');
  });

  it('stands in for an image, with a warning', async () => {
    const made = await prepare({ ...bare, image: 'registry.example/serving:1' });
    expect(made.warnings.join()).toContain("the image 'registry.example/serving:1' is not used on local compute");
  });

  it('uses the python of this machine when the wanted one is not there, with a warning', async () => {
    const made = await prepare({ ...bare, condaFile: 'dependencies: [python=3.99]' });
    expect(made.warnings.join()).toContain('asks for Python 3.99, which this machine does not have');
    expect(made.digest).toBe((await prepare(undefined)).digest);
  });

  it('is built anew when its interpreter has gone', async () => {
    const made = await prepare(undefined);
    rmSync(made.interpreter);
    symlinkSync('/nowhere/python3', made.interpreter);
    expect(await prepare(undefined)).toEqual(made);
    expect(await python(made.interpreter, 'print(1)')).toBe('1');
  });

  it('is refused where there is no python', async () => {
    const error = await failure(prepare(undefined, { environment: { PATH: '/nowhere' } }));
    expect(error).toMatchObject({ code: 'failed_precondition', reason: 'PYTHON_NOT_FOUND' });
  });
});

describe('an environment with packages', () => {
  it('has them, is read-only, and says what is in it', async () => {
    const made = await prepare(conda(['six==1.17.0']));
    expect(await python(made.interpreter, 'import six; print(six.__version__)')).toBe('1.17.0');
    const root = join(folder, made.digest);
    for (const path of ['', 'bin', 'pyvenv.cfg', 'environment.json']) {
      expect(statSync(join(root, path)).mode & 0o222, path).toBe(0);
    }
    expect(JSON.parse(readFileSync(join(root, 'environment.json'), 'utf8'))).toMatchObject({
      requirements: ['six==1.17.0'],
      packages: [{ name: 'six', version: '1.17.0' }],
    });
    expect(lines.join('\n')).toContain('six==1.17.0');
    expect(readdirSync(join(folder, '.work'))).toEqual([]);
  });

  it('can be started from any folder, console scripts included, after its move into place', async () => {
    const made = await prepare(conda(['pyjokes==0.6.0']));
    const script = join(folder, made.digest, 'bin', 'pyjoke');
    await expect(promisify(execFile)(script, ['--help'], { cwd: '/' })).resolves.toBeDefined();
  });

  it('is built by a uv of a fixed version, installed when it is first needed', async () => {
    const tools = join(folder, '..', 'tools');
    const made = await prepare(conda(['six==1.17.0']), { toolsDir: tools });
    expect(await python(made.interpreter, 'import six; print(six.__version__)')).toBe('1.17.0');
    expect(readdirSync(tools)).toEqual([expect.stringMatching(/^uv-\d+\.\d+\.\d+$/)]);
    expect(lines.join('\n')).toMatch(/installed uv in/);
  });

  it('takes a requirements.txt of a build context, and says that the Dockerfile is not run', async () => {
    const context = tempDir();
    cleanups.push(context.remove);
    writeFileSync(join(context.path, 'requirements.txt'), 'six==1.17.0\n');
    const build = { contextPath: 'environments/e/1', dockerfilePath: 'Dockerfile' };
    const made = await prepare({ ...bare, build }, { localPath: async () => context.path });
    expect(made.digest).toBe((await prepare(conda(['six==1.17.0']))).digest);
    expect(made.warnings.join()).toContain("'Dockerfile' is not run");
  });
});

describe('a build that fails', () => {
  it('says what uv said, and leaves nothing', async () => {
    const error = await failure(prepare(conda(['six==99.9'])));
    expect(error).toMatchObject({ code: 'failed_precondition', reason: 'ENVIRONMENT_BUILD_FAILED' });
    expect(error.message).toContain('there is no version of six==99.9');
    expectNothingLeft();
  });

  it('is retryable when the index cannot be reached, and shows no password', async () => {
    const spec = conda(['six==1.17.0', '--index-url http://me:secret@127.0.0.1:9/simple']);
    const error = await failure(prepare(spec, impatient));
    expect(error).toMatchObject({ code: 'unavailable', reason: 'PACKAGE_INDEX_UNREACHABLE' });
    expect(error.message + lines.join('\n')).not.toContain('secret');
    expectNothingLeft();
  });

  it('is bounded in time', async () => {
    const index = await hangingIndex();
    // Long enough for uv to have asked the index on a machine that is busy with other tests.
    const error = await failure(prepare(conda(['six', `-i ${index.url}`]), { buildMsMax: 5_000 }));
    expect(error).toMatchObject({ code: 'failed_precondition', reason: 'ENVIRONMENT_BUILD_FAILED' });
    expect(error.message).toContain('took longer than');
    await index.abandoned();
  });

  it('that its caller gave up ends uv', async () => {
    const index = await hangingIndex();
    const gone = new AbortController();
    const prepared = failure(prepare(conda(['six', `-i ${index.url}`]), {}, gone.signal));
    await index.asked();
    gone.abort();
    expect(await prepared).toMatchObject({ code: 'cancelled', reason: 'ENVIRONMENT_BUILD_CANCELLED' });
    await index.abandoned();
    await eventually(expectNothingLeft);
  });
});

describe('two that want the same environment at once', () => {
  it('share one build; when one gives up the other goes on', async () => {
    const environments = make();
    const gone = new AbortController();
    const told: string[][] = [[], []];
    const wishes = [gone.signal, AbortSignal.timeout(60_000)].map((signal, index) =>
      environments.prepare(conda(['six==1.17.0']), { onLine: (line) => told[index]?.push(line), signal }),
    );
    const [given, kept] = [failure(wishes[0]), wishes[1]];
    await eventually(() => (told[0] ?? []).join().includes('building an environment'));
    gone.abort();
    expect(await given).toMatchObject({ code: 'cancelled' });
    await expect(kept).resolves.toMatchObject({ warnings: [] });
    expect(told[1]?.filter((line) => line.includes('building an environment'))).toHaveLength(1);
  });

  it('in two processes build it once', async () => {
    const other = prepareElsewhere(['six==1.17.0']);
    const [mine, theirs] = await Promise.all([prepare(conda(['six==1.17.0'])), other.result]);
    expect(theirs).toContain(mine.digest);
    const builds = `${lines.join('\n')}\n${theirs}`.match(/building an environment of/g);
    expect(builds).toHaveLength(1);
  });

  it('are not held up by a builder that was killed, and nothing of it stays', async () => {
    const index = await hangingIndex();
    const killed = prepareElsewhere(['six', `-i ${index.url}`]);
    await index.asked();
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    expect(readdirSync(join(folder, '.work'))).toHaveLength(1);
    index.end();
    const error = await failure(prepare(conda(['six', `-i ${index.url}`]), impatient));
    expect(error).toMatchObject({ code: 'unavailable' });
    await eventually(async () => {
      await prepare(conda(['six==1.17.0']));
      return readdirSync(join(folder, '.work')).length === 0;
    });
    expect(readdirSync(folder).filter((name) => name.endsWith('.lock'))).toEqual([]);
  });
});

describe('pruning', () => {
  it('removes what nobody keeps and nobody asked for lately, and the cache with it', async () => {
    const kept = await prepare(undefined);
    const unused = await prepare(conda(['six==1.17.0']));
    expect(await make().prune([kept.digest])).toEqual([]);
    expect(await make().prune([kept.digest], -1)).toEqual([unused.digest]);
    expect(existsSync(join(folder, unused.digest))).toBe(false);
    expect(existsSync(join(folder, '.cache'))).toBe(false);
    expect(await python(kept.interpreter, 'print(1)')).toBe('1');
    expect((await prepare(conda(['six==1.17.0']))).digest).toBe(unused.digest);
  });
});

const bare: EnvironmentVersionSpec = {
  tags: {},
  properties: {},
  osType: 'linux',
  isAnonymous: true,
  isArchived: false,
};

const impatient = { environment: { ...process.env, UV_HTTP_RETRIES: '0' } };

function conda(pip: string[]): EnvironmentVersionSpec {
  return { ...bare, condaFile: JSON.stringify({ dependencies: ['pip', ...(pip.length > 0 ? [{ pip }] : [])] }) };
}

function make(options: Partial<EnvironmentsOptions> = {}): Environments {
  return createEnvironments({ folder, log, ...options });
}

async function prepare(
  spec: EnvironmentVersionSpec | undefined,
  options: Partial<EnvironmentsOptions> = {},
  signal: AbortSignal = AbortSignal.timeout(60_000),
): ReturnType<Environments['prepare']> {
  return make(options).prepare(spec, { onLine: (line) => lines.push(line), signal });
}

async function failure(work: Promise<unknown> | undefined): Promise<PlatformError> {
  try {
    await work;
  } catch (error) {
    return error as PlatformError;
  }
  throw new Error('it did not fail');
}

async function python(interpreter: string, code: string): Promise<string> {
  return (await promisify(execFile)(interpreter, ['-c', code])).stdout.trim();
}

function offline(): Record<string, string | undefined> {
  return {
    PATH: process.env['PATH'],
    HOME: folder,
    http_proxy: 'http://127.0.0.1:9',
    https_proxy: 'http://127.0.0.1:9',
  };
}

function expectNothingLeft(): void {
  expect(readdirSync(folder).filter((name) => name !== '.work' && name !== '.cache')).toEqual([]);
  expect(readdirSync(join(folder, '.work'))).toEqual([]);
}

/** Prepares in a process of its own, which prints what it is told and the digest. */
function prepareElsewhere(pip: string[]): { child: ReturnType<typeof spawn>; result: Promise<string> } {
  const code = `
    const { createEnvironments } = await import(${JSON.stringify(new URL('../index.ts', import.meta.url).href)});
    const log = { info() {} };
    const made = await createEnvironments({ folder: ${JSON.stringify(folder)}, log }).prepare(
      ${JSON.stringify(conda(pip))}, { onLine: console.log, signal: AbortSignal.timeout(60_000) });
    console.log(made.digest);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  cleanups.push(() => child.kill('SIGKILL'));
  let text = '';
  child.stdout.on('data', (bytes) => (text += String(bytes)));
  return { child, result: once(child, 'close').then(() => text) };
}

/** A package index that takes requests and answers none. */
async function hangingIndex(): Promise<{
  url: string;
  asked(): Promise<unknown>;
  abandoned(): Promise<unknown>;
  end(): void;
}> {
  let requests = 0;
  let open = 0;
  const server = createServer((request) => {
    requests += 1;
    open += 1;
    request.socket.once('close', () => (open -= 1));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const end = (): void => {
    server.close();
    server.closeAllConnections();
  };
  cleanups.push(end);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple`,
    asked: async () => eventually(() => requests > 0, { timeoutMs: 30_000 }),
    abandoned: async () => eventually(() => requests > 0 && open === 0, { timeoutMs: 10_000 }),
    end,
  };
}
