export { authModule } from './module.ts';
export { readAuthConfig, type AuthConfig } from './config.ts';
