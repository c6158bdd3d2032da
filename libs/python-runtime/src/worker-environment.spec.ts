import { describe, expect, it } from 'vitest';
import type { PythonInstanceSpec } from './make-slots.ts';
import { scriptInstance } from './testing.ts';
import { workerEnvironment } from './worker-environment.ts';

const environmentOf = (changes: Parameters<typeof scriptInstance>[3] = {}): Record<string, string> =>
  workerEnvironment(scriptInstance('/code', 'src/score.py', '/instance', changes) as PythonInstanceSpec, '/tmp/own');

describe("a worker's environment", () => {
  it('says where its files are and whose it is', () => {
    expect(environmentOf({ modelDir: '/models', interpreter: '/env/bin/python', workerCount: 3 })).toMatchObject({
      AZUREML_MODEL_DIR: '/models',
      AML_APP_ROOT: '/code',
      AZUREML_ENTRY_SCRIPT: 'src/score.py',
      WORKER_COUNT: '3',
      SERVICE_NAME: 'cars',
      SERVICE_VERSION: 'luca',
      HOME: '/instance',
      TMPDIR: '/tmp/own',
    });
    expect(environmentOf({ interpreter: '/env/bin/python' })['PATH']?.split(':')[0]).toBe('/env/bin');
  });

  it('has no model folder where there is no model', () => {
    expect(environmentOf()).not.toHaveProperty('AZUREML_MODEL_DIR');
  });

  it('lets the user’s variables win', () => {
    expect(environmentOf({ environmentVariables: { OMP_NUM_THREADS: '7', MINE: 'x' }, threads: 2 })).toMatchObject({
      OMP_NUM_THREADS: '7',
      MKL_NUM_THREADS: '2',
      MINE: 'x',
    });
  });
});
