export { controllerModule } from './module.ts';
export { readControllerConfig, type ControllerConfig } from './config.ts';
