import {
  batchJobDefaults,
  batchRanges,
  readBatchSettings,
  type BatchDeploymentSpec,
  type BatchJobSettings,
  type ModelBatchDeploymentSpec,
  type PipelineBatchDeploymentSpec,
  type Stored,
} from '@mooring/domain';
import { isoFromSeconds } from '../reading/durations.ts';
import {
  choice,
  later,
  mapOf,
  object,
  readOnly,
  required,
  scalarText,
  text,
  whole,
  type Field,
  type ObjectOf,
  type Reading,
} from '../reading/fields.ts';
import { present } from '../reading/present.ts';
import { computeName, outputFileName, pipelineSettings } from '../reading/batch-values.ts';
import type { ArmContext } from './envelope.ts';
import { assetReference, computeId, resourceId, type AssetType } from './ids.ts';
import { anyObject, durationSeconds, envelope, textMap } from './scalars.ts';

/** `{"referenceType": "Id", "assetId": ...}`: the key of an asset's version. */
function assetId(type: AssetType): Field<string> {
  const fields = object({
    referenceType: choice({ Id: 'Id' }, { DataPath: 'files of a datastore', OutputPath: 'outputs of a job' }),
    assetId: required(assetReference(type)),
  });
  return { read: (value, path, reading) => fields.read(value, path, reading)?.assetId };
}

const nodes = 'nodes of a chosen kind';

const properties = object({
  model: assetId('models'),
  codeConfiguration: object({ codeId: required(assetReference('codes')), scoringScript: required(text()) }),
  environmentId: assetReference('environments'),
  environmentVariables: textMap,
  description: text(),
  properties: textMap,
  compute: computeName,
  deploymentConfiguration: object({
    deploymentConfigurationType: required(choice({ Model: 'Model', PipelineComponent: 'PipelineComponent' })),
    componentId: assetId('components'),
    settings: mapOf(scalarText),
    description: readOnly,
    tags: readOnly,
  }),
  resources: object({
    instanceCount: whole(...batchRanges.instanceCount),
    instanceType: later(nodes),
    properties: mapOf(later(nodes)),
  }),
  errorThreshold: whole(...batchRanges.errorThreshold),
  loggingLevel: choice({ Info: 'info', Warning: 'warning', Debug: 'debug' }),
  maxConcurrencyPerInstance: whole(...batchRanges.maxConcurrencyPerInstance),
  miniBatchSize: whole(...batchRanges.miniBatchSize),
  outputAction: choice({ AppendRow: 'append_row', SummaryOnly: 'summary_only' }),
  outputFileName,
  retrySettings: object({
    maxRetries: whole(...batchRanges.maxRetries),
    timeout: durationSeconds(...batchRanges.timeoutS),
  }),
  provisioningState: readOnly,
  creationContext: readOnly,
  mooring: readOnly,
});

const fields = object(
  {
    ...envelope,
    location: text(),
    tags: textMap,
    sku: readOnly,
    identity: anyObject,
    properties: required(properties),
  },
  'a batch deployment',
);

type Values = NonNullable<ObjectOf<{ properties: typeof properties }>['properties']>;

/** azureml-contract 3.4, `BatchDeployment`, with the defaults of its section 1.4. `name@latest` is left as it is. */
export function batchDeploymentFromArm(body: unknown, reading: Reading): BatchDeploymentSpec {
  const read = fields.read(body, '', reading);
  const values: Values = read?.properties ?? {};
  for (const problem of readBatchSettings(values.properties ?? {}).problems) {
    reading.problems.push({ ...problem, path: `properties.${problem.path}` });
  }
  if (values.deploymentConfiguration?.deploymentConfigurationType === 'PipelineComponent')
    return pipelineOf(values, read?.tags ?? {}, reading);
  noteMissing(values, body, reading);
  const { codeId, scoringScript } = values.codeConfiguration ?? {};
  return present({
    description: values.description,
    tags: read?.tags ?? {},
    properties: values.properties ?? {},
    type: 'model',
    model: values.model ?? '',
    code: codeId !== undefined && scoringScript !== undefined ? { codeKey: codeId, scoringScript } : undefined,
    environment: values.environmentId,
    environmentVariables: values.environmentVariables ?? {},
    compute: values.compute ?? '',
    job: jobSettingsOf(values),
  }) as unknown as ModelBatchDeploymentSpec;
}

/** Azure's SDK sends what a model deployment takes as well, at its defaults; nothing of it means anything here. */
function pipelineOf(values: Values, tags: Record<string, string>, reading: Reading): PipelineBatchDeploymentSpec {
  const { componentId, settings = {} } = values.deploymentConfiguration ?? {};
  const at = 'properties.deploymentConfiguration';
  if (componentId === undefined && reading.problems.length === 0) {
    reading.problems.push({ path: `${at}.componentId`, problem: 'is missing', expected: 'a value: it is required' });
  }
  // Names as in YAML and in REST, values as texts.
  const plain = Object.fromEntries(Object.entries(settings).map(([name, value]) => [snake(name), value]));
  const read = pipelineSettings.read(plain, `${at}.settings`, reading);
  return present({
    description: values.description,
    tags,
    properties: values.properties ?? {},
    type: 'pipeline',
    component: componentId ?? '',
    settings: present({
      defaultCompute: read?.default_compute,
      defaultDatastore: read?.default_datastore,
      continueOnStepFailure: read?.continue_on_step_failure ?? false,
      forceRerun: read?.force_rerun ?? false,
      experimentName: read?.experiment_name,
    }),
  }) as PipelineBatchDeploymentSpec;
}

/** What a model deployment must have; one that was refused has its own problem. */
function noteMissing(values: Values, body: unknown, reading: Reading): void {
  if (reading.problems.some(({ later: isLater }) => isLater)) return;
  const given = ((body as { properties?: unknown } | null)?.properties ?? {}) as Record<string, unknown>;
  for (const field of ['model', 'compute'] as const) {
    if (values[field] !== undefined || (given[field] ?? undefined) !== undefined) continue;
    reading.problems.push({
      path: `properties.${field}`,
      problem: 'is missing',
      expected: 'a value: it is required',
    });
  }
}

function jobSettingsOf(values: Values): BatchJobSettings {
  const { retrySettings } = batchJobDefaults;
  const outputAction = (values.outputAction ?? batchJobDefaults.outputAction) as BatchJobSettings['outputAction'];
  return {
    instanceCount: values.resources?.instanceCount ?? batchJobDefaults.instanceCount,
    maxConcurrencyPerInstance: values.maxConcurrencyPerInstance ?? batchJobDefaults.maxConcurrencyPerInstance,
    miniBatchSize: values.miniBatchSize ?? batchJobDefaults.miniBatchSize,
    outputAction,
    // Without rows there is no such file; what is not shown must not be kept either.
    outputFileName:
      (outputAction === 'append_row' ? values.outputFileName : undefined) ?? batchJobDefaults.outputFileName,
    retrySettings: {
      maxRetries: values.retrySettings?.maxRetries ?? retrySettings.maxRetries,
      timeoutS: values.retrySettings?.timeout ?? retrySettings.timeoutS,
    },
    errorThreshold: values.errorThreshold ?? batchJobDefaults.errorThreshold,
    loggingLevel: (values.loggingLevel ?? batchJobDefaults.loggingLevel) as BatchJobSettings['loggingLevel'],
  };
}

export function batchDeploymentToArm(
  { spec }: Stored<'batch-deployment'>,
  { workspace }: ArmContext,
): Record<string, unknown> {
  const common = { description: spec.description, properties: spec.properties };
  const idOf = (kind: Parameters<typeof resourceId>[1], key: string): Record<string, string> => ({
    referenceType: 'Id',
    assetId: resourceId(workspace, kind, key),
  });
  if (spec.type === 'pipeline') {
    const deploymentConfiguration = {
      deploymentConfigurationType: 'PipelineComponent',
      componentId: idOf('component', spec.component),
      settings: Object.fromEntries(Object.entries(spec.settings).map(([name, value]) => [snake(name), String(value)])),
    };
    return { properties: present({ ...common, deploymentConfiguration }) };
  }
  return {
    properties: present({
      ...common,
      model: idOf('model', spec.model),
      codeConfiguration: spec.code && {
        codeId: resourceId(workspace, 'code', spec.code.codeKey),
        scoringScript: spec.code.scoringScript,
      },
      environmentId: spec.environment && resourceId(workspace, 'environment', spec.environment),
      environmentVariables: spec.environmentVariables,
      compute: computeId(workspace, spec.compute),
      ...jobSettingsToArm(spec.job),
    }),
  };
}

const loggingLevels = { debug: 'Debug', info: 'Info', warning: 'Warning' } as const;

function jobSettingsToArm(job: BatchJobSettings): Record<string, unknown> {
  return {
    resources: { instanceCount: job.instanceCount, properties: {} },
    errorThreshold: job.errorThreshold,
    loggingLevel: loggingLevels[job.loggingLevel],
    maxConcurrencyPerInstance: job.maxConcurrencyPerInstance,
    miniBatchSize: job.miniBatchSize,
    outputAction: job.outputAction === 'append_row' ? 'AppendRow' : 'SummaryOnly',
    outputFileName: job.outputAction === 'append_row' ? job.outputFileName : undefined,
    retrySettings: {
      maxRetries: job.retrySettings.maxRetries,
      timeout: isoFromSeconds(job.retrySettings.timeoutS),
    },
  };
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (capital, at) => `${at === 0 ? '' : '_'}${capital.toLowerCase()}`);
}
