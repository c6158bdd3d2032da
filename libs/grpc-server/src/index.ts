export { shortQuestions, type GuardedService, type GuardInflation } from './grpc/inflation-guard.ts';
export { defaultConnectionLimits, type ConnectionLimits } from './http2/limits.ts';
export { startGrpcServer, type GrpcServer, type GrpcServerOptions, type ServerLimits } from './server.ts';
