export { defaultConnectionLimits, type ConnectionLimits } from './http2/limits.ts';
export { startLeanGrpcServer, type LeanGrpcServer, type LeanGrpcServerOptions, type ServerLimits } from './server.ts';
