export { __camel__Module } from './module.ts';
export { __camel__Config, type __Pascal__Config } from './config.ts';
