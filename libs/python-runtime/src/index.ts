export { createPythonRuntime, type PythonRuntimeOptions } from './python-runtime.ts';
export {
  createEnvironments,
  type Environments,
  type EnvironmentsOptions,
  type PreparedEnvironment,
} from './environments/environments.ts';
