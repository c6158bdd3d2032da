export {
  defineModule,
  startOrder,
  type Lifecycle,
  type Module,
  type ModuleSet,
  type StartContext,
  type StopReason,
} from './module.ts';
export { startModules, type RunningModules } from './run-modules.ts';
export { runMain, type MainOptions, type ReadyMessage } from './run-main.ts';
export { endProcess, identify, isAlive, type ProcessIdentity } from './process-identity.ts';
export { capLog } from './cap-log.ts';
