import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { batchJobDefaults, type BoundInput, type BoundOutput, type JobStep, type PartFile } from '@mooring/domain';
import { eventually } from '@mooring/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MiniBatchOutcome, MiniBatchRunner } from '../runner.ts';
import { memoryLog } from '../testing.ts';
import { createCommandRunner } from './command-runner.ts';

let home: string;
let parts: string;
let log: ReturnType<typeof memoryLog>;
const runners: MiniBatchRunner[] = [];
const never = new AbortController().signal;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'mooring-command-'));
  parts = join(home, 'parts');
  log = memoryLog();
});
afterEach(async () => {
  for (const runner of runners.splice(0)) await runner.stop(AbortSignal.abort());
  rmSync(home, { recursive: true, force: true, maxRetries: 3 });
});

const out: BoundOutput = { container: 'c', folder: 'f', type: 'uri_folder' };

async function runnerOf(command: string, changes: Partial<JobStep> = {}, codeDir?: string): Promise<MiniBatchRunner> {
  const runner = createCommandRunner(
    {
      runtime: { kind: 'command', interpreter: 'python3', ...(codeDir === undefined ? {} : { codeDir }) },
      environmentVariables: { LEVEL: 'high' },
      limits: { cpu: 1, memoryMib: 512 },
      warnings: [],
    },
    { command, inputs: {}, outputs: { out }, ...changes },
    {
      job: 'job:step',
      partsFolder: parts,
      workFolder: join(home, 'work'),
      outputFolder: join(home, 'output'),
      settings: batchJobDefaults,
      out: log,
    },
  );
  mkdirSync(join(home, 'work'), { recursive: true });
  runners.push(runner);
  await runner.start(never);
  return runner;
}

const batch = { job: 'job:step', attempt: 1, index: 0, firstItem: 0, items: 1, files: [] };

async function run(command: string, changes: Partial<JobStep> = {}, timeoutMs = 20_000): Promise<MiniBatchOutcome> {
  const runner = await runnerOf(command, changes);
  return runner.run(batch, { timeoutMs, runs: 1, signal: never });
}

function filesOf({ part }: { part?: PartFile }): Record<string, string> {
  if (part === undefined) return {};
  const lines = readFileSync(join(parts, part.file), 'utf8').trim().split('\n');
  const folder = join(parts, part.file.replace('.part', '.outputs'));
  return Object.fromEntries(
    lines.map((line) => {
      const { file } = JSON.parse(line) as { file: string };
      return [file, readFileSync(join(folder, file), 'utf8')];
    }),
  );
}

describe('a command', () => {
  it('gets its inputs and gives every file of its outputs, named in its part', async () => {
    const inputs: Record<string, BoundInput> = {
      data: { kind: 'data', type: 'uri_folder', uri: 'azureml:d:1', direct: false },
      address: { kind: 'data', type: 'uri_folder', uri: 'azureml:d:1', direct: true },
      how: { kind: 'literal', text: "it's; rm -rf $HOME" },
    };
    writeFileSync(join(home, 'in.txt'), 'given');
    const paths = { data: home };
    const line = [
      'mkdir ${{outputs.out}}/sub',
      'cp ${{inputs.data}}/in.txt ${{outputs.out}}/sub/copy.txt',
      'printf "%s %s %s" ${{inputs.address}} "${{inputs.how}}" "$LEVEL" > ${{outputs.out}}/said',
      'echo one > ${{outputs.report}}',
    ].join(' && ');
    const report: BoundOutput = { ...out, type: 'uri_file' };
    const outcome = await run(line, { inputs, paths, outputs: { out, report } });
    expect(outcome).toMatchObject({ kind: 'done', succeeded: 1, failed: 0, part: { lines: 3 } });
    expect(filesOf(outcome as { part?: PartFile })).toEqual({
      'out/sub/copy.txt': 'given',
      'out/said': "azureml:d:1 it's; rm -rf $HOME high",
      'report/report': 'one\n',
    });
  });

  it('runs in a copy of its code, with the Python of its environment, and leaves that code as it was', async () => {
    const code = join(home, 'code');
    mkdirSync(code);
    writeFileSync(join(code, 'tidy.py'), 'import sys\nopen("made", "w")\nopen(sys.argv[1] + "/x", "w").write("x")');
    const runner = await runnerOf('python3 tidy.py ${{outputs.out}}', {}, code);
    const outcome = await runner.run(batch, { timeoutMs: 20_000, runs: 1, signal: never });
    expect(outcome).toMatchObject({ kind: 'done', part: { lines: 1 } });
    expect(readdirSync(code)).toEqual(['tidy.py']);
  });

  it('writes into a fresh folder each time', async () => {
    const runner = await runnerOf('n=$(ls ${{outputs.out}} | wc -l); echo $n > ${{outputs.out}}/count');
    for (const _time of [1, 2]) {
      const outcome = await runner.run(batch, { timeoutMs: 20_000, runs: 1, signal: never });
      expect(filesOf(outcome as { part?: PartFile })['out/count']?.trim()).toBe('0');
    }
  });

  it('may write nothing', async () => {
    expect(await run('true')).toEqual({ kind: 'done', succeeded: 1, failed: 0 });
  });

  it.each<[string, string, string]>([
    ['exits', 'echo why >&2; exit 3', 'the command exited with 3\nwhy'],
    ['is not there', 'no-such-command', 'the command exited with 127'],
    ['kills itself', 'kill -9 $$', 'the command was ended by signal 9'],
    ['is no command', 'if', 'the command exited with'],
    ['leaves a link', 'ln -s /etc/passwd ${{outputs.out}}/x', "the output 'out' holds out/x, which is a link"],
    [
      'puts a link in the place of its folder',
      'rmdir ${{outputs.out}} && ln -s /usr/share/doc ${{outputs.out}}',
      "the folder of the output 'out' was replaced by a link",
    ],
    [
      'puts a link in the place of all of its folders',
      'cd ${{outputs.out}}/.. && at=$(pwd) && cd / && rm -r $at && ln -s /usr/share $at',
      "the folder of the output 'out' was replaced by a link",
    ],
    ['leaves a link to a folder', 'ln -s /etc ${{outputs.out}}/x', "the output 'out' holds out/x, which is a link"],
    ['leaves a pipe', 'mkfifo ${{outputs.out}}/x', 'which is no plain file'],
    ['leaves a name that is no text', "touch ${{outputs.out}}/$'a\\xff'", 'whose name is no plain text'],
    ['leaves a name with a line end', "touch ${{outputs.out}}/$'a\\nb'", 'whose name is no plain text'],
  ])('that %s fails with what it did, and leaves nothing', async (_what, command, says) => {
    const outcome = await run(command);
    expect(outcome.kind).toBe('raised');
    expect((outcome as { message: string }).message).toContain(says);
    expect(readdirSync(parts)).toEqual([]);
  });

  it('that writes more than the one file of an output fails', async () => {
    const outputs = { report: { ...out, type: 'uri_file' as const } };
    const outcome = await run('touch ${{outputs.report}} ${{outputs.report}}2', { outputs });
    expect(outcome).toMatchObject({ kind: 'raised', message: expect.stringContaining('is one file') });
  });

  it('is ended with all that it began when its time is over', async () => {
    const mark = join(home, 'late');
    const outcome = await run(`(sleep 2; touch ${mark}) & sleep 60`, {}, 500);
    expect(outcome).toMatchObject({ kind: 'timed-out' });
    const until = performance.now() + 2_500;
    await eventually(async () => expect(performance.now()).toBeGreaterThan(until));
    expect(existsSync(mark)).toBe(false);
    expect(readdirSync(parts)).toEqual([]);
  });

  it('is ended when it holds more memory than it may, whichever of its processes it is', async () => {
    const hoard = 'import time; x = bytearray(900 * 2**20); time.sleep(60)';
    const outcome = await run(`python3 -c '${hoard}' & wait`);
    expect(outcome).toMatchObject({ kind: 'process-lost', message: expect.stringContaining('may hold 512 MiB') });
  });

  it('has its words in the log, and what it leaves in the background does not hold it up', async () => {
    expect(await run('echo said; echo shouted >&2; sleep 30 &')).toMatchObject({ kind: 'done' });
    await eventually(async () => expect(log.text()).toMatch(/said[^]*shouted|shouted[^]*said/));
  });
});
