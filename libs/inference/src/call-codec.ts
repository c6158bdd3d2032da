import { Operation, Protocol } from '@mooring/contracts/scoring';
import type { InstanceSpec } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { rawLengthOf, type Tensor } from '@mooring/tensor';
import type { RunAnswer } from './batcher.ts';
import { answerTooLarge, type InferRequest } from './codec/infer-request.ts';
import { decodeGrpcRequest, encodeGrpcAnswer } from './codec/oip-grpc.ts';
import { decodeRestRequest, encodeRestAnswer, type EncodedAnswer } from './codec/oip-rest.ts';
import { decodeScoreBody, encodeScoreAnswer } from './codec/score-json.ts';
import type { Card, Named } from './model-card.ts';
import type { ModelSignature } from './signature.ts';

const grpcContentType = 'application/protobuf';

/** Reads the request of a call in whichever protocol it came. */
export function decodeCall(call: ScoreCall, signature: ModelSignature, limitBytes: number): InferRequest {
  if (call.body.byteLength > limitBytes) {
    const message = `the request has ${call.body.byteLength} bytes; the deployment takes ${limitBytes} (mooring.max-request-bytes)`;
    throw new PlatformError('too_large', 'REQUEST_TOO_LARGE', message);
  }
  if (call.protocol === Protocol.PROTOCOL_OIP_GRPC) return decodeGrpcRequest(call.body);
  if (call.operation === Operation.OPERATION_SCORE && call.inferenceHeaderLengthPlusOne === 0)
    return decodeScoreBody(call.body, signature);
  return decodeRestRequest(call.body, call.inferenceHeaderLengthPlusOne, signature);
}

/** Writes the outputs in the protocol of the call. Throws RESPONSE_TOO_LARGE. */
export function encodeAnswer(
  call: ScoreCall,
  named: Named,
  request: InferRequest,
  outputs: readonly Tensor[],
  limitBytes: number,
): EncodedAnswer {
  const bytes = outputs.reduce((sum, tensor) => sum + rawLengthOf(tensor), 0);
  if (bytes > limitBytes) throw answerTooLarge(limitBytes);
  const answer = { modelName: named.name, modelVersion: named.version, outputs };
  if (call.protocol === Protocol.PROTOCOL_OIP_GRPC) {
    const body = encodeGrpcAnswer({ ...answer, id: request.id }, limitBytes);
    return { body, contentType: grpcContentType, inferenceHeaderLengthPlusOne: 0 };
  }
  if (call.operation === Operation.OPERATION_SCORE) return encodeScoreAnswer(outputs, limitBytes);
  return encodeRestAnswer({ ...answer, request }, limitBytes);
}

/** As the caller wrote them; the endpoint and the deployment are the model's name and version where it wrote none. */
export function namedAs(call: ScoreCall, spec: Pick<InstanceSpec, 'endpoint' | 'deployment'>): Named {
  return { name: call.modelName || spec.endpoint, version: call.modelVersion || spec.deployment };
}

export function cardReply(call: ScoreCall, card: Card): ScoreReply {
  if (call.protocol !== Protocol.PROTOCOL_OIP_GRPC) return jsonReply(card.json);
  return reply({ status: 200, contentType: grpcContentType, body: Buffer.from(card.grpc) });
}

export function jsonReply(value: unknown): ScoreReply {
  return reply({ status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) });
}

export interface Moments {
  arrivedMs: number;
  decodedMs: number;
  answeredMs: number;
  endMs: number;
}

/** Parts that add up to the total: what is left between them (turns of the event loop) counts as waiting. */
export function timingOf(
  answer: RunAnswer,
  { arrivedMs, decodedMs, answeredMs, endMs }: Moments,
): NonNullable<ScoreReply['timing']> {
  const totalUs = Math.round((endMs - arrivedMs) * 1000);
  const preprocessUs = Math.round((decodedMs - arrivedMs) * 1000);
  const postprocessUs = Math.round((endMs - answeredMs) * 1000);
  const { batchWaitUs } = answer;
  const computeUs = Math.min(answer.computeUs, Math.max(0, totalUs - preprocessUs - postprocessUs - batchWaitUs));
  const queueUs = Math.max(0, totalUs - preprocessUs - postprocessUs - batchWaitUs - computeUs);
  return { totalUs, queueUs, batchWaitUs, preprocessUs, computeUs, postprocessUs };
}
