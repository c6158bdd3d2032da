export { readConfig, describeConfig, ConfigError, type Environment } from './read-config.ts';
