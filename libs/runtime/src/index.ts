export { defineModule, startOrder, type Lifecycle, type Module, type ModuleSet, type StartContext } from './module.ts';
export { startModules, type RunningModules } from './run-modules.ts';
export { runMain, type MainOptions } from './run-main.ts';
