import { expect, it } from 'vitest';
import { ModelInferRequest, ModelStreamInferResponse, ModelInferResponse } from '@mooring/contracts/inference';
import { peekInferRequest, streamResponse } from './infer-peek.ts';

const request = Buffer.from(
  ModelInferRequest.encode({
    modelName: 'cars',
    modelVersion: 'luca',
    id: 'ä-1',
    parameters: {},
    inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 300], parameters: {}, contents: undefined }],
    outputs: [],
    rawInputContents: [Buffer.alloc(1_200, 7)],
  }).finish(),
);

it('reads name, version and id and steps over the rest', () => {
  expect(peekInferRequest(request)).toEqual({ modelName: 'cars', modelVersion: 'luca', id: 'ä-1' });
  expect(peekInferRequest(Buffer.alloc(0))).toEqual({ modelName: '', modelVersion: '', id: '' });
});

it('takes the last of a field that comes twice, and fields in any order', () => {
  const late = Buffer.from([0x0a, 2, 0x61, 0x62]);
  expect(peekInferRequest(Buffer.concat([request, late])).modelName).toBe('ab');
});

it('never accepts a cut that leaves a field half, and never reads past the end', () => {
  let refused = 0;
  for (let length = 1; length < request.length; length += 1) {
    try {
      peekInferRequest(request.subarray(0, length));
    } catch (error) {
      expect(error).toMatchObject({ code: 'invalid_argument', reason: 'MALFORMED_MESSAGE' });
      refused += 1;
    }
  }
  // Only cuts between two fields are messages of their own.
  expect(refused).toBe(request.length - 1 - 4);
});

it('wraps an answer for the stream without decoding it, and marks it as the final one', () => {
  const body = Buffer.from(
    ModelInferResponse.encode({
      modelName: 'cars',
      modelVersion: '',
      id: '7',
      parameters: {},
      outputs: [],
      rawOutputContents: [Buffer.alloc(300)],
    }).finish(),
  );
  const { errorMessage, inferResponse } = ModelStreamInferResponse.decode(streamResponse(body));
  expect(errorMessage).toBe('');
  expect(inferResponse).toMatchObject({ modelName: 'cars', id: '7' });
  expect(inferResponse?.rawOutputContents[0]).toHaveLength(300);
  expect(inferResponse?.parameters['triton_final_response']?.parameterChoice).toEqual({
    $case: 'boolParam',
    value: true,
  });
});
