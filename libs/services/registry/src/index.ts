export { registryModule } from './module.ts';
export { readRegistryConfig, type RegistryConfig } from './config.ts';
