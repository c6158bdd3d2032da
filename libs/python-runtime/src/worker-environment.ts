import { delimiter, dirname, join } from 'node:path';
import type { InstanceSpec, PythonRuntimeSpec } from '@mooring/domain';

/**
 * What every process of a user's interpreter begins with; nothing is inherited from the platform. `cores`: what its numeric libraries
 * may use, which otherwise start a thread for each core of the machine, in every process.
 */
export function interpreterEnvironment(
  interpreter: string,
  home: string,
  tempDir: string,
  cores: number,
): Record<string, string> {
  const threads = String(Math.max(1, Math.floor(cores)));
  return {
    PATH: [dirname(interpreter), '/usr/local/bin', '/usr/bin', '/bin'].join(delimiter),
    HOME: home,
    TMPDIR: tempDir,
    LANG: 'C.UTF-8',
    PYTHONUNBUFFERED: '1',
    // Code and environments are shared and read-only.
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONNOUSERSITE: '1',
    OMP_NUM_THREADS: threads,
    OPENBLAS_NUM_THREADS: threads,
    MKL_NUM_THREADS: threads,
  };
}

/**
 * All that a scoring script sees of the environment: nothing is inherited from the platform. Azure's variables are those
 * of azureml-contract 5.2; the user's own win over all of them.
 */
export function workerEnvironment(
  spec: InstanceSpec & { runtime: PythonRuntimeSpec },
  tempDir: string,
): Record<string, string> {
  const { runtime } = spec;
  return {
    ...interpreterEnvironment(runtime.interpreter, spec.instanceDir, tempDir, spec.threads),
    HOSTNAME: spec.instanceId,
    AML_APP_ROOT: runtime.codeDir,
    AZUREML_SOURCE_DIRECTORY: runtime.codeDir,
    AZUREML_ENTRY_SCRIPT: runtime.scoringScript,
    ...(runtime.modelDir === undefined ? {} : { AZUREML_MODEL_DIR: runtime.modelDir }),
    AZUREML_INFERENCE_PYTHON_PATH: runtime.interpreter,
    AZUREML_CONDA_ENVIRONMENT_PATH: join(dirname(runtime.interpreter), '..'),
    AZUREML_LOG_LEVEL: 'INFO',
    SCORING_TIMEOUT_MS: String(spec.requestSettings.requestTimeoutMs),
    WORKER_COUNT: String(runtime.workerCount),
    SERVICE_NAME: spec.endpoint,
    SERVICE_VERSION: spec.deployment,
    WORKSPACE_NAME: 'mooring',
    ...spec.environmentVariables,
  };
}
