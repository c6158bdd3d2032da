export { createPythonRuntime, type PythonRuntimeOptions } from './python-runtime.ts';
export {
  createEnvironments,
  type Environments,
  type EnvironmentsOptions,
  type PreparedEnvironment,
} from './environments/environments.ts';
export { SessionProcess, type SessionProcessOptions } from './session-process.ts';
export { interpreterEnvironment } from './worker-environment.ts';
export { workerPackageFolder } from './worker-package.ts';
