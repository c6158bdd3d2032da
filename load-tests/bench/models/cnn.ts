import { seeded } from '@mooring/testing';
import { model, node, tensor, valueInfo } from './onnx-writer.ts';

export const cnnShape = [1, 3, 32, 32] as const;

/** Each convolution: channels in and out, and stride. */
const layers = [
  [3, 64, 1],
  ...Array.from({ length: 11 }, () => [64, 64, 1] as const),
  [64, 128, 2],
  [128, 128, 1],
  [128, 256, 2],
  [256, 256, 1],
] as const;
const classes = 10;

/** A picture of 32 by 32 in, probabilities of ten classes out; weights are random, their sizes such that values stay tame. */
export function makeCnn(): Buffer {
  const random = seeded(7);
  const weights = (count: number, deviation: number): Float32Array =>
    Float32Array.from({ length: count }, () => (random() * 2 - 1) * Math.sqrt(3) * deviation);
  const nodes: Buffer[] = [];
  const initializers: Buffer[] = [];
  let last = 'image';
  for (const [index, [inputs, outputs, stride]] of layers.entries()) {
    const name = `conv${index}`;
    const shape = [outputs, inputs, 3, 3];
    initializers.push(tensor(`${name}.w`, shape, weights(outputs * inputs * 9, Math.sqrt(2 / (9 * inputs)))));
    initializers.push(tensor(`${name}.b`, [outputs], new Float32Array(outputs)));
    const attributes = { kernel_shape: [3, 3], pads: [1, 1, 1, 1], strides: [stride, stride] };
    nodes.push(node('Conv', [last, `${name}.w`, `${name}.b`], name, attributes));
    nodes.push(node('Relu', [name], `${name}.r`));
    last = `${name}.r`;
  }
  const width = layers[layers.length - 1]?.[1] ?? 0;
  initializers.push(tensor('dense.w', [width, classes], weights(width * classes, 0.05)));
  initializers.push(tensor('dense.b', [classes], new Float32Array(classes)));
  nodes.push(node('GlobalAveragePool', [last], 'pooled'));
  nodes.push(node('Flatten', ['pooled'], 'flat', { axis: 1 }));
  nodes.push(node('Gemm', ['flat', 'dense.w', 'dense.b'], 'logits'));
  nodes.push(node('Softmax', ['logits'], 'probabilities', { axis: 1 }));
  return model({
    name: 'cnn',
    nodes,
    initializers,
    inputs: [valueInfo('image', ['N', ...cnnShape.slice(1)])],
    outputs: [valueInfo('probabilities', ['N', classes])],
  });
}
