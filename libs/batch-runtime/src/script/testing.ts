import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { BatchJobSettings, InputFile } from '@mooring/domain';
import { useRunners, type TestRunner } from '../testing.ts';

/** `run` begins here: what follows is its body. */
export const named = 'import os, sys\ndef init(): pass\ndef run(mini_batch):\n';

/** For spec files: runners of scripts given as text. */
export function useScripts() {
  const { folder, files, runner } = useRunners();
  type Options = Parameters<typeof runner>[1];
  type Changes = Partial<Parameters<typeof runner>[0]> & { modelDir?: string; interpreter?: string };
  const scripted = (script: string | Uint8Array, options: Options = {}, changes: Changes = {}): TestRunner => {
    const codeDir = folder();
    const { modelDir, interpreter = 'python3', ...rest } = changes;
    writeFileSync(join(codeDir, 'batch_score.py'), script);
    const runtime = { kind: 'python', interpreter, codeDir, scoringScript: 'batch_score.py', workerCount: 1 } as const;
    return runner({ runtime: { ...runtime, ...(modelDir === undefined ? {} : { modelDir }) }, ...rest }, options);
  };
  const started = async (script: string, options: Options = {}, changes: Changes = {}): Promise<TestRunner> => {
    const test = scripted(script, options, changes);
    await test.runner.start(new AbortController().signal);
    return test;
  };
  const three = (): InputFile[] => files({ 'a.txt': 'A', 'b.txt': 'BB', 'sub/c.txt': 'CCC' });
  const settings = (changes: Partial<BatchJobSettings>): Options => ({ settings: changes });
  return { folder, files, three, settings, scripted, started };
}
