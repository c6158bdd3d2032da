import { describe, expect, it } from 'vitest';
import { chooseOnnxFile } from './find-onnx.ts';

describe('chooseOnnxFile', () => {
  it('finds the only one, wherever it lies', () => {
    expect(chooseOnnxFile(['README.md', 'v1/Model.ONNX'])).toEqual({ file: 'v1/Model.ONNX' });
  });

  it('says what is there when there is none or more than one', () => {
    expect(chooseOnnxFile(['model.pkl'])).toMatchObject({
      problem: expect.stringContaining('only model.pkl') as string,
    });
    expect(chooseOnnxFile([])).toMatchObject({ problem: expect.stringContaining('no files') as string });
    expect(chooseOnnxFile(['a.onnx', 'b.onnx'])).toMatchObject({
      problem: expect.stringContaining('2 .onnx files (a.onnx, b.onnx)') as string,
    });
  });
});
