import encoding from 'k6/encoding';
import { settings, textOrFile } from './settings.ts';

interface Tensor {
  name: string;
  shape: number[];
  datatype: string;
  data: (number | boolean | string)[];
}

/** For /score: what the deployment's scoring script or signature takes. */
export const scoreBody = textOrFile('BODY', '{"data": [[5.1, 3.5, 1.4, 0.2]]}');

/** For the Open Inference Protocol, REST and gRPC. */
export const oipBody = textOrFile(
  'TENSORS',
  '{"inputs": [{"name": "input", "shape": [1, 4], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]}]}',
);

const contentsOf: { [datatype: string]: string } = {
  BOOL: 'boolContents',
  INT8: 'intContents',
  INT16: 'intContents',
  INT32: 'intContents',
  INT64: 'int64Contents',
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
  UINT64: 'uint64Contents',
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  BYTES: 'bytesContents',
};

/** The same tensors as a ModelInferRequest, in protobuf's JSON. */
export function inferRequest(): object {
  const { inputs } = JSON.parse(oipBody) as { inputs: Tensor[] };
  return {
    modelName: settings.endpoint,
    modelVersion: settings.deployment,
    inputs: inputs.map(({ name, shape, datatype, data }) => {
      const field = contentsOf[datatype];
      if (field === undefined) throw new Error(`TENSORS: gRPC has no typed contents for ${datatype}; use SURFACE=oip`);
      const values = datatype === 'BYTES' ? data.map((value) => encoding.b64encode(String(value))) : data;
      return { name, shape, datatype, contents: { [field]: values } };
    }),
  };
}
