export { createOnnxRuntime, type OnnxRuntime } from './onnx-runtime.ts';
export { loadInlineModel, type InlineModelOptions, type LoadedInlineModel } from './inline-model.ts';
export { prepareNative } from './native-session.ts';
export { loadSession, type OnnxSession } from './session.ts';
export { whyNotBatched } from './warm-up.ts';
export { platformName } from './model-card.ts';
export {
  checkInputs,
  checkOutputs,
  describeSpec,
  protocolShape,
  type ModelSignature,
  type TensorSpec,
} from './signature.ts';
export { decodeRestRequest, encodeRestAnswer, type EncodedAnswer } from './codec/oip-rest.ts';
export { decodeGrpcRequest, encodeGrpcAnswer } from './codec/oip-grpc.ts';
export type { InferRequest, RequestedOutput } from './codec/infer-request.ts';
