import { readFileSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Operation } from '@mooring/contracts/scoring';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEnvironments } from './environments/environments.ts';
import { ask, jsonOf, useRuntimes } from './testing.ts';

const cars = fileURLToPath(new URL('../../../examples/cars/', import.meta.url));
const { running, runningText } = useRuntimes(cars);
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mooring-env-'));
});

afterAll(async () => {
  await createEnvironments({ folder, log: pino({ level: 'silent' }) }).prune([], -1);
  rmSync(folder, { recursive: true, force: true });
});

/** The interpreter of an environment with what a conda file names. */
async function interpreterOf(condaFile: string): Promise<string> {
  const environments = createEnvironments({ folder, log: pino({ level: 'silent' }) });
  const spec = { tags: {}, properties: {}, osType: 'linux' as const, isAnonymous: true, isArchived: false, condaFile };
  const options = { onLine: () => undefined, signal: AbortSignal.timeout(100_000) };
  return (await environments.prepare(spec, options)).interpreter;
}

describe('the scripts of the cars example', { timeout: 120_000 }, () => {
  it.each(['luca', 'martina'])(
    'answer with a type and a colour, in the environment of their conda file (%s)',
    async (who) => {
      const interpreter = await interpreterOf(readFileSync(join(cars, 'conda-onnx.yaml'), 'utf8'));
      const { runtime } = await running(
        'score.py',
        { interpreter, modelDir: join(cars, who), environmentVariables: { SCORE_BACKEND: 'onnx' } },
        {},
        join(cars, who, 'code'),
      );
      const photo = readFileSync(join(cars, 'images', 'car-000.png'));
      const answer = await ask(runtime, { image: photo.toString('base64') });
      expect(jsonOf(answer)).toMatchObject({ model: who, type: expect.any(String), colour: expect.any(String) });
      expect(await ask(runtime, { image: 'bm8=' })).toMatchObject({ errorReason: 'RUN_FAILED', status: 500 });
    },
  );
});

describe('schema decorators for numpy and pandas', { timeout: 120_000 }, () => {
  const conda = JSON.stringify({
    dependencies: ['python=3.11', { pip: ['azureml-defaults', 'inference-schema[pandas-support]'] }],
  });
  const script = `
import numpy as np, pandas as pd
from inference_schema.schema_decorators import input_schema, output_schema
from inference_schema.parameter_types.numpy_parameter_type import NumpyParameterType
from inference_schema.parameter_types.pandas_parameter_type import PandasParameterType
from inference_schema.parameter_types.standard_py_parameter_type import StandardPythonParameterType

def init(): pass

@input_schema("grid", NumpyParameterType(np.array([[1.0, 2.0]], dtype=np.float32)))
@input_schema("rows", PandasParameterType(pd.DataFrame({"name": ["a"], "size": [1]})))
@output_schema(StandardPythonParameterType({"sum": 1.5}))
def run(grid, rows):
    if rows["name"][0] == "numpy": return {"sum": grid}
    return {"sum": float(grid.sum()), "dtype": str(grid.dtype), "kinds": [str(k.kind) for k in rows.dtypes], "names": rows["name"].tolist()}
`;

  it('hand run arrays and data frames, refuse what does not fit, and describe both', async () => {
    const { runtime } = await runningText(script, { interpreter: await interpreterOf(conda) });
    const rows = [{ name: 'x', size: 3 }];
    expect(
      jsonOf(
        await ask(runtime, {
          grid: [
            [1, 2],
            [3, 4],
          ],
          rows,
        }),
      ),
    ).toMatchObject({
      sum: 10,
      dtype: 'float32',
      names: ['x'],
    });
    for (const wrong of [
      { grid: [[1, 2, 3]], rows },
      { grid: [1, 2], rows },
      { grid: [['x', 'y']], rows },
      { grid: 'x', rows },
      { grid: [[1, 2]], rows: [{ name: 'x' }] },
      { grid: [[1, 2]], rows: 5 },
      { grid: [[1, 2]], rows: [{ name: 'x', size: 'big' }] },
    ]) {
      const answer = await ask(runtime, wrong);
      expect(answer, JSON.stringify(wrong)).toMatchObject({ status: 400, errorReason: 'SCHEMA_VIOLATION' });
    }
    const array = await ask(runtime, { grid: [[1, 2]], rows: [{ name: 'numpy', size: 1 }] });
    expect(array).toMatchObject({ status: 500, errorReason: 'RESULT_NOT_JSON' });
    expect(array.errorMessage).toContain('call .tolist() on it');
    expect(jsonOf(await ask(runtime, '', { operation: Operation.OPERATION_SWAGGER }))).toMatchObject({
      definitions: {
        ServiceInput: {
          properties: { grid: { type: 'array', format: 'numpy.ndarray' }, rows: { type: 'array' } },
          example: { grid: [[1, 2]], rows: [{ name: 'a', size: 1 }] },
        },
        ServiceOutput: { example: { sum: 1.5 } },
      },
    });
  });
});
