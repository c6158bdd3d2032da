import { Operation } from '@mooring/contracts/scoring';
import type { InstanceSpec } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { ScoreCall, ScoreReply } from '@mooring/scoring-stream';
import { cardReply, jsonReply, namedAs } from './call-codec.ts';
import { configCard, metadataCard, statisticsCard } from './model-card.ts';
import type { ServedModel } from './model-port.ts';
import { apiDescription } from './openapi.ts';
import type { Statistics } from './statistics.ts';

/** What a call asks about a model, without running it. */
export function describeModel(
  model: ServedModel,
  call: ScoreCall,
  options: Pick<InstanceSpec, 'endpoint' | 'deployment'>,
  statistics: Statistics,
): ScoreReply {
  const { signature } = model.engine;
  const named = namedAs(call, options);
  switch (call.operation) {
    case Operation.OPERATION_METADATA:
      return cardReply(call, metadataCard(named, signature));
    case Operation.OPERATION_CONFIG:
      return cardReply(
        call,
        configCard(named, signature, { rowsMax: model.batchRowsMax, delayUs: model.batchMaxDelayUs }),
      );
    case Operation.OPERATION_STATISTICS:
      return cardReply(call, statisticsCard(named, statistics));
    case Operation.OPERATION_SWAGGER: {
      const { endpoint, deployment } = options;
      return jsonReply(apiDescription(signature, `${endpoint}/${deployment}`, call.query));
    }
    default:
      throw new PlatformError(
        'unimplemented',
        'OPERATION_UNKNOWN',
        `operation ${call.operation} is not one of an ONNX model`,
      );
  }
}
