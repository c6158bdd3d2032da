import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import {
  batchJobDefaults,
  type BatchJobSettings,
  type BatchLaunch,
  type InputFile,
  type ItemError,
  type MiniBatch,
  type PartFile,
} from '@mooring/domain';
import { afterEach } from 'vitest';
import { createRunner } from './create-runner.ts';
import type { MiniBatchOutcome, MiniBatchRunner, RunnerOptions } from './runner.ts';

/** For spec files: holds what is written to it. */
export function memoryLog(): Writable & { text(): string } {
  let held = '';
  const out = new Writable({
    write: (bytes, _encoding, done) => {
      held += String(bytes);
      done();
    },
  });
  return Object.assign(out, { text: () => held });
}

/** For spec files: a file as the listing has it. */
export function listed(localPath: string, path = basename(localPath)): InputFile {
  const { size, mtimeMs } = statSync(localPath);
  return { path, localPath, bytes: size, modifiedMs: Math.trunc(mtimeMs) };
}

export function fileBatch(files: readonly InputFile[], changes: Partial<MiniBatch> = {}): MiniBatch {
  return { job: 'job-1', attempt: 1, index: 0, firstItem: 0, items: files.length, files, ...changes };
}

export const never = new AbortController().signal;

export interface TestRunner {
  runner: MiniBatchRunner;
  parts: string;
  out: ReturnType<typeof memoryLog>;
  run(
    batch: MiniBatch,
    options?: { timeoutMs?: number; runs?: number; signal?: AbortSignal },
  ): Promise<MiniBatchOutcome>;
  lines(part: PartFile | undefined): string[];
  errors(outcome: MiniBatchOutcome): ItemError[];
  /** Files in the parts folder. */
  leftParts(): string[];
}

type Launch = Partial<BatchLaunch> & Pick<BatchLaunch, 'runtime'>;

/** For spec files: folders and runners that end with the test that made them. */
export function useRunners(): {
  folder(): string;
  /** Writes files below a new folder and lists them. */
  files(contents: Readonly<Record<string, string | Uint8Array>>): InputFile[];
  runner(
    launch: Launch,
    options?: Partial<Omit<RunnerOptions, 'settings'>> & { settings?: Partial<BatchJobSettings> },
  ): TestRunner;
} {
  const cleanups: (() => void | Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
  });
  const folder = (): string => {
    const path = mkdtempSync(join(tmpdir(), 'mooring-batch-'));
    cleanups.push(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
    return path;
  };
  const files = (contents: Readonly<Record<string, string | Uint8Array>>): InputFile[] => {
    const root = folder();
    return Object.entries(contents).map(([path, content]) => {
      const localPath = join(root, path);
      mkdirSync(dirname(localPath), { recursive: true });
      writeFileSync(localPath, content);
      return listed(localPath, path);
    });
  };
  const runner: ReturnType<typeof useRunners>['runner'] = (launch, { settings, ...options } = {}) => {
    const home = folder();
    const parts = join(home, 'parts');
    const out = memoryLog();
    const made = createRunner(
      { environmentVariables: {}, limits: { cpu: 1, memoryMib: 2_048 }, warnings: [], ...launch },
      {
        job: 'job-1',
        partsFolder: parts,
        workFolder: join(home, 'work'),
        outputFolder: join(home, 'output'),
        settings: { ...batchJobDefaults, ...settings },
        out,
        ...options,
      },
    );
    cleanups.push(() => made.stop(AbortSignal.abort()));
    return {
      ...inspecting(parts),
      runner: made,
      parts,
      out,
      run: (batch, with_ = {}) => made.run(batch, runOptions(with_)),
    };
  };
  return { folder, files, runner };
}

function runOptions(options: { timeoutMs?: number; runs?: number; signal?: AbortSignal }) {
  return { timeoutMs: 20_000, runs: 1, signal: never, ...options };
}

function inspecting(parts: string): Pick<TestRunner, 'lines' | 'errors' | 'leftParts'> {
  const lines = (part: PartFile | undefined): string[] =>
    part === undefined ? [] : readFileSync(join(parts, part.file), 'utf8').split('\n').slice(0, -1);
  return {
    lines,
    errors: (outcome) =>
      outcome.kind === 'done' ? lines(outcome.errors).map((line) => JSON.parse(line) as ItemError) : [],
    leftParts: () => readdirSync(parts),
  };
}
