import type { ServiceDefinition, UntypedHandleCall } from '@grpc/grpc-js';
import type { GuardedService, GuardInflation } from './inflation-guard.ts';

/** One method as the server calls it. */
export interface Method {
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  deserialize(bytes: Buffer): unknown;
  serialize(message: unknown): Buffer;
  handler: UntypedHandleCall;
  guardInflation: GuardInflation | undefined;
}

/** Every method by its path. A method without a handler is left out, and thus answered by UNIMPLEMENTED. */
export function methodsOf(services: readonly GuardedService[]): ReadonlyMap<string, Method> {
  const methods = new Map<string, Method>();
  for (const { definition, implementation, guardInflation } of services) {
    for (const [name, described] of Object.entries(definition as ServiceDefinition)) {
      const handler = implementation[name] ?? implementation[described.originalName ?? name];
      if (methods.has(described.path)) throw new Error(`two services have the method ${described.path}`);
      if (typeof handler !== 'function') continue;
      methods.set(described.path, {
        path: described.path,
        requestStream: described.requestStream,
        responseStream: described.responseStream,
        deserialize: described.requestDeserialize,
        serialize: described.responseSerialize,
        handler: (handler as (...args: unknown[]) => unknown).bind(implementation) as UntypedHandleCall,
        guardInflation,
      });
    }
  }
  return methods;
}
