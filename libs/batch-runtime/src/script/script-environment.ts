import { join } from 'node:path';
import type { BatchLaunch, PythonRuntimeSpec } from '@mooring/domain';
import { interpreterEnvironment } from '@mooring/python-runtime';
import type { RunnerOptions } from '../runner.ts';

/**
 * All that a batch scoring script sees of the environment: nothing is inherited from the platform. The user's own variables win
 * over all of them.
 */
export function scriptEnvironment(
  launch: BatchLaunch,
  runtime: PythonRuntimeSpec,
  options: RunnerOptions,
): Record<string, string> {
  const temporary = join(options.workFolder, 'tmp');
  return {
    ...interpreterEnvironment(runtime.interpreter, options.workFolder, temporary, launch.limits.cpu),
    ...(runtime.modelDir === undefined ? {} : { AZUREML_MODEL_DIR: runtime.modelDir }),
    AZUREML_BI_OUTPUT_PATH: options.outputFolder,
    AZUREML_SOURCE_DIRECTORY: runtime.codeDir,
    AZUREML_ENTRY_SCRIPT: runtime.scoringScript,
    AZUREML_RUN_ID: options.job,
    AZUREML_LOG_LEVEL: options.settings.loggingLevel.toUpperCase(),
    ...launch.environmentVariables,
  };
}

/** What Azure starts a batch scoring script with, as far as it means something here. */
export function scriptArguments({ settings, arguments: own = [] }: RunnerOptions): string[] {
  const common = Object.entries({
    scoring_module_name: 'entry_module',
    mini_batch_size: settings.miniBatchSize,
    error_threshold: settings.errorThreshold,
    output_action: settings.outputAction,
    append_row_file_name: settings.outputFileName,
    logging_level: settings.loggingLevel.toUpperCase(),
    run_invocation_timeout: settings.retrySettings.timeoutS,
    run_max_try: settings.retrySettings.maxRetries + 1,
  }).flatMap(([name, value]) => [`--${name}`, String(value)]);
  return [...common, ...own];
}
