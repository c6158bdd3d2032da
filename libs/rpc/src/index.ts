export { createClient, type ClientCallOptions, type RpcClient } from './client.ts';
export { errorFrom, errorTrailer, statusOf } from './errors.ts';
export { healthService } from './health.ts';
export { addReflection } from './reflection.ts';
export {
  maxMessageBytes,
  prepareSocketPath,
  service,
  startGrpcServer,
  type GrpcServer,
  type GrpcServerOptions,
  type MountedService,
} from './server.ts';
export { createServiceClient, type ServiceClientOptions } from './service-client.ts';
export { unary, type CallContext } from './unary.ts';
