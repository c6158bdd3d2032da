export { createGatewayModule, gatewayModule } from './module.ts';
export { gatewayConfig, type GatewayConfig } from './config.ts';
export type { Gateway } from './gateway.ts';
export type { ScoringEdge } from './ports.ts';
