export { isLoopback, parseAddress } from './address.ts';
export { readConfig, ConfigError, type Environment } from './read-config.ts';
export { inheritedListener, readDataFolder, readLogLevel, serviceAddress } from './shared-settings.ts';
export { dataFolder, defaultDataFolder, type DataFolder } from './data-folder.ts';
