export {
  defineModule,
  startOrder,
  type Lifecycle,
  type Module,
  type ModuleSet,
  type StartContext,
  type StopReason,
} from './module.ts';
export { startModules, type RunningModules, type StopFailure } from './run-modules.ts';
export { countExternalMemoryWithHeap, letHeapGrow } from './heap-limits.ts';
export { runMain, type MainOptions } from './run-main.ts';
export { adoptSocket, detachSocket, type ConnectionRelay, type RawConnection } from './connection-relay.ts';
export type { FromChild, ReadyMessage, ToChild } from './supervisor-messages.ts';
export { endProcess, identify, isAlive, type ProcessIdentity } from './process-identity.ts';
export { capLog } from './cap-log.ts';
export { stderrLog } from './stderr-log.ts';
