import type { InferenceSession } from 'onnxruntime-node';
import { expect, it } from 'vitest';
import { createNative } from './native-session.ts';
import { feedOf } from './native-tensors.ts';
import { fixturePath } from './testing.ts';

it('a run cannot be ended: the binding takes no notice of `terminate` (when this fails, cancellation can reach the model)', () => {
  const session = createNative(fixturePath('iris-onnx/model.onnx'), 1);
  const input = session.inputMetadata[0]?.name ?? '';
  const output = session.outputMetadata[0]?.name ?? '';
  const feeds = {
    [input]: feedOf({ name: input, datatype: 'FP32', shape: [1, 4], elements: new Float32Array(4) }),
  };
  const options = { terminate: true } as InferenceSession.RunOptions;
  expect(session.run(feeds, { [output]: null }, options)[output]).toBeDefined();
  session.dispose();
});
