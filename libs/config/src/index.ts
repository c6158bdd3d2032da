export { readConfig, ConfigError, type Environment } from './read-config.ts';
export { inheritedListener, readDataFolder, serviceAddress } from './shared-settings.ts';
export { dataFolder, defaultDataFolder, type DataFolder } from './data-folder.ts';
