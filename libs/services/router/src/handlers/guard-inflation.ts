import { shortQuestions, type GuardInflation } from '@mooring/grpc-server';
import { PlatformError } from '@mooring/errors';
import { maxMessageBytes } from '@mooring/rpc';
import { findEndpoint } from '../domain/choose.ts';
import { peekModelName } from '../domain/infer-peek.ts';
import { readContext, type GrpcContext } from './grpc-context.ts';
import { authorize, missingKey, type CallerDeps } from './infer-call.ts';
import type { GrpcProtocol } from './served-meters.ts';
import type { ServedRequests } from './served-requests.ts';

const protocols: Readonly<Record<string, GrpcProtocol>> = {
  '/inference.GRPCInferenceService/ModelInfer': 'oip_grpc',
  '/inference.GRPCInferenceService/ModelStreamInfer': 'oip_stream',
};
const noName = 'the compressed message does not begin with a model name; give the name of the endpoint, first';
const never = new AbortController().signal;

/**
 * A caller's key is asked for before its messages are inflated, and fits the endpoint that is named at their beginning before
 * more than that is. On a stream the first message that gets through speaks for the later ones; their handler looks at each.
 */
export function createInflationGuard(deps: CallerDeps & { served: ServedRequests }): GuardInflation {
  return (path, metadata) => {
    const protocol = protocols[path];
    if (protocol === undefined) return shortQuestions(path, metadata);
    const context = readContext(metadata, Infinity, never);
    const recorded = (check: () => void): void => {
      try {
        check();
      } catch (thrown) {
        deps.served.begin(protocol, context, 0).end(thrown);
        throw thrown;
      }
    };
    recorded(() => {
      if (context.authorization === '') throw missingKey();
    });
    let proven = false;
    const look = (beginning: Buffer): void => {
      if (proven) return;
      recorded(() => checkName(deps, peekModelName(beginning), context));
      proven = true;
    };
    return { bytesMax: maxMessageBytes, look };
  };
}

function checkName(deps: CallerDeps, name: string, context: GrpcContext): void {
  if (name === '') throw new PlatformError('invalid_argument', 'MODEL_NAME_MISSING', noName);
  authorize(deps, { name, version: '' }, context);
  findEndpoint(deps.directory, name);
}
