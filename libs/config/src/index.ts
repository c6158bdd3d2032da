export { readConfig, describeConfig, ConfigError, type Environment } from './read-config.ts';
export { dataFolder, defaultDataFolder, type DataFolder } from './data-folder.ts';
