import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { bytesOf, tensorFromRaw, type Tensor } from '@mooring/tensor';
import { loadSession } from './session.ts';
import { fixturePath } from './testing.ts';

const file = fixturePath('iris-onnx/model.onnx');
const rows = [
  [5.1, 3.5, 1.4, 0.2],
  [6.2, 3.4, 5.4, 2.3],
  [5.9, 3, 4.2, 1.5],
];

const input = (values: readonly number[]): Tensor =>
  tensorFromRaw('input', 'FP32', [values.length / 4, 4], bytesOf(Float32Array.from(values)));
const plain = (tensors: readonly Tensor[]): unknown =>
  tensors.map(({ name, shape, elements }) => [name, shape, elements]);

it('gives each run its own answer, whatever runs came between, and leaves its inputs as they are', () => {
  const sizes = [rows[0], rows[1], rows.flat(), rows[2], rows.slice(1).flat(), rows[0]] as number[][];
  const alone = sizes.map((values) => plain(loadSession(file, 1).run([input(values)], ['label', 'probabilities'])));
  for (const session of [loadSession(file, 1), loadSession(readFileSync(file), 1)]) {
    const all = session.signature.outputs.map(({ name }) => name);
    const inputs = sizes.map(input);
    const answers = inputs.map((tensor) => session.run([tensor], all));
    expect(answers.map(plain)).toEqual(alone);
    expect(inputs.map(({ elements }) => [...elements])).toEqual(sizes.map((values) => [...Float32Array.from(values)]));
    expect(plain(session.run([input(sizes[1] as number[])], ['probabilities']))).toEqual([(alone[1] as unknown[])[1]]);
    session.release();
  }
});
