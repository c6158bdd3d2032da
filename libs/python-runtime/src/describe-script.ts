import { ModelMetadataResponse, ModelReadyResponse } from '@mooring/contracts/inference';
import { Operation, Protocol } from '@mooring/contracts/scoring';
import { PlatformError } from '@mooring/errors';
import { reply, type ScoreCall, type ScoreReply } from '@mooring/scoring-stream';
import { scriptSwagger, type ScriptCard } from './swagger.ts';

/** Whose script it is. */
export interface ScriptNames {
  endpoint: string;
  deployment: string;
}

/** Answers what is asked about a script beside scoring. Throws `unimplemented` for what a scoring script does not have. */
export function describeScript(card: ScriptCard, names: ScriptNames, ready: boolean, call: ScoreCall): ScoreReply {
  const name = call.modelName || names.endpoint;
  switch (call.operation) {
    case Operation.OPERATION_SWAGGER:
      return jsonReply(scriptSwagger(card, `${names.endpoint}/${names.deployment}`, names.endpoint, call.query));
    case Operation.OPERATION_READY:
      return inProtocolOf(call, { name, ready }, ModelReadyResponse.encode({ ready }).finish());
    case Operation.OPERATION_METADATA: {
      const metadata = {
        name,
        versions: [call.modelVersion || names.deployment],
        platform: 'python_scoring_script',
        inputs: [],
        outputs: [],
      };
      return inProtocolOf(
        call,
        metadata,
        ModelMetadataResponse.encode(ModelMetadataResponse.fromPartial(metadata)).finish(),
      );
    }
    default:
      throw new PlatformError(
        'unimplemented',
        'NOT_IN_SCORING_SCRIPT',
        `${names.endpoint}/${names.deployment} is a scoring script, which has no tensors: call POST /score instead`,
      );
  }
}

function inProtocolOf(call: ScoreCall, json: unknown, grpc: Uint8Array): ScoreReply {
  if (call.protocol !== Protocol.PROTOCOL_OIP_GRPC) return jsonReply(json);
  return reply({ status: 200, contentType: 'application/grpc', body: Buffer.from(grpc) });
}

function jsonReply(value: unknown): ScoreReply {
  return reply({ status: 200, contentType: 'application/json', body: Buffer.from(JSON.stringify(value)) });
}
