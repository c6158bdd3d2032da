import {
  probeDefaults,
  readMooringSettings,
  requestSettingsDefaults,
  type OnlineDeploymentSpec,
  type ProbeSettings,
  type RequestSettings,
  type Stored,
} from '@mooring/domain';
import { isoFromMs, isoFromSeconds } from '../reading/durations.ts';
import {
  choice,
  fraction,
  later,
  listOf,
  mapOf,
  object,
  readOnly,
  required,
  text,
  whole,
  type Field,
  type ObjectOf,
  type Reading,
} from '../reading/fields.ts';
import type { ArmContext } from './envelope.ts';
import { assetReference, resourceId } from './ids.ts';
import { duration, durationSeconds, envelope, strictBool, textMap } from './scalars.ts';
import { present } from '../reading/present.ts';

const kubernetes = 'Kubernetes as a compute target';
const scaling = 'automatic scaling';

function probe(successThreshold: Field<number>) {
  return object({
    initialDelay: durationSeconds(0, 86_400),
    period: durationSeconds(1, 86_400),
    timeout: durationSeconds(1, 86_400),
    successThreshold,
    failureThreshold: whole(1, 1000),
  });
}

const properties = object({
  endpointComputeType: choice({ Managed: 'Managed' }, { Kubernetes: kubernetes, AzureMLCompute: 'Azure ML compute' }),
  codeConfiguration: object({ codeId: required(assetReference('codes')), scoringScript: required(text()) }),
  description: text(),
  environmentId: assetReference('environments'),
  environmentVariables: textMap,
  properties: textMap,
  appInsightsEnabled: strictBool,
  dataCollector: object({
    collections: required(
      mapOf(
        object({
          dataCollectionMode: choice({ Enabled: 'Enabled', Disabled: 'Disabled' }),
          samplingRate: fraction(0, 1),
          dataId: text(),
          clientId: readOnly,
        }),
      ),
    ),
    requestLogging: object({ captureHeaders: listOf(text()) }),
    rollingRate: choice({ Year: 'Year', Month: 'Month', Day: 'Day', Hour: 'Hour', Minute: 'Minute' }),
  }),
  egressPublicNetworkAccess: choice({ Enabled: 'enabled', Disabled: 'disabled' }),
  instanceType: required(
    text({ test: (value) => /^[\w.-]{1,100}$/.test(value), expected: 'the name of an instance type' }),
  ),
  // One good answer always ends a liveness failure; Azure fixes it too.
  livenessProbe: probe(whole(1, 1)),
  readinessProbe: probe(whole(1, 1000)),
  startupProbe: later('startup probes'),
  model: assetReference('models'),
  modelMountPath: text({ test: (value) => value.startsWith('/'), expected: 'an absolute path' }),
  requestSettings: object({
    requestTimeout: duration(1, 180_000),
    maxConcurrentRequestsPerInstance: whole(1, 100_000),
    maxQueueWait: duration(0, 180_000),
  }),
  scaleSettings: object({
    scaleType: required(choice({ Default: 'Default' }, { TargetUtilization: scaling })),
    maxInstances: later(scaling),
    minInstances: later(scaling),
    pollingInterval: later(scaling),
    targetUtilizationPercentage: later(scaling),
  }),
  containerResourceRequirements: later(kubernetes),
  provisioningState: readOnly,
  creationContext: readOnly,
  mooring: readOnly,
});

const fields = object(
  {
    ...envelope,
    location: text(),
    tags: textMap,
    identity: readOnly,
    sku: object({ name: text(), tier: text(), size: text(), family: text(), capacity: whole(1, 50) }),
    properties: required(properties),
  },
  'an online deployment',
);

type Values = NonNullable<ObjectOf<{ properties: typeof properties }>['properties']>;

/** azureml-contract 3.4, `OnlineDeployment`, with the defaults of its section 1.3. `name@latest` is left as it is. */
export function deploymentFromArm(body: unknown, reading: Reading): OnlineDeploymentSpec {
  const read = fields.read(body, '', reading);
  const values: Values = read?.properties ?? {};
  const { codeId, scoringScript } = values.codeConfiguration ?? {};
  for (const problem of readMooringSettings(values.properties ?? {}).problems) {
    reading.problems.push({ ...problem, path: `properties.${problem.path}` });
  }
  return present({
    description: values.description,
    tags: read?.tags ?? {},
    properties: values.properties ?? {},
    model: values.model,
    code: codeId !== undefined && scoringScript !== undefined ? { codeKey: codeId, scoringScript } : undefined,
    environment: values.environmentId,
    environmentVariables: values.environmentVariables ?? {},
    modelMountPath: values.modelMountPath,
    instanceType: values.instanceType ?? '',
    instanceCount: read?.sku?.capacity ?? 1,
    appInsightsEnabled: values.appInsightsEnabled ?? false,
    egressPublicNetworkAccess: values.egressPublicNetworkAccess ?? 'enabled',
    requestSettings: requestSettingsOf(values.requestSettings),
    livenessProbe: probeOf(values.livenessProbe),
    readinessProbe: probeOf(values.readinessProbe),
    scaleSettings: { type: 'default' },
    dataCollector: values.dataCollector,
  }) as OnlineDeploymentSpec;
}

function requestSettingsOf(values: Values['requestSettings']): RequestSettings {
  return {
    requestTimeoutMs: values?.requestTimeout ?? requestSettingsDefaults.requestTimeoutMs,
    maxConcurrentRequestsPerInstance:
      values?.maxConcurrentRequestsPerInstance ?? requestSettingsDefaults.maxConcurrentRequestsPerInstance,
    maxQueueWaitMs: values?.maxQueueWait ?? requestSettingsDefaults.maxQueueWaitMs,
  };
}

function probeOf(values: Values['livenessProbe']): ProbeSettings {
  return {
    initialDelayS: values?.initialDelay ?? probeDefaults.initialDelayS,
    periodS: values?.period ?? probeDefaults.periodS,
    timeoutS: values?.timeout ?? probeDefaults.timeoutS,
    successThreshold: values?.successThreshold ?? probeDefaults.successThreshold,
    failureThreshold: values?.failureThreshold ?? probeDefaults.failureThreshold,
  };
}

export function deploymentToArm(stored: Stored<'online-deployment'>, context: ArmContext): Record<string, unknown> {
  const { spec } = stored;
  const { workspace } = context;
  return {
    sku: { name: 'Default', tier: 'Standard', capacity: spec.instanceCount },
    kind: 'Managed',
    properties: present({
      endpointComputeType: 'Managed',
      description: spec.description,
      properties: spec.properties,
      model: spec.model && resourceId(workspace, 'model', spec.model),
      codeConfiguration: spec.code && {
        codeId: resourceId(workspace, 'code', spec.code.codeKey),
        scoringScript: spec.code.scoringScript,
      },
      environmentId: spec.environment && resourceId(workspace, 'environment', spec.environment),
      environmentVariables: spec.environmentVariables,
      modelMountPath: spec.modelMountPath,
      instanceType: spec.instanceType,
      appInsightsEnabled: spec.appInsightsEnabled,
      egressPublicNetworkAccess: spec.egressPublicNetworkAccess === 'enabled' ? 'Enabled' : 'Disabled',
      requestSettings: {
        requestTimeout: isoFromMs(spec.requestSettings.requestTimeoutMs),
        maxConcurrentRequestsPerInstance: spec.requestSettings.maxConcurrentRequestsPerInstance,
        maxQueueWait: isoFromMs(spec.requestSettings.maxQueueWaitMs),
      },
      livenessProbe: probeToArm(spec.livenessProbe),
      readinessProbe: probeToArm(spec.readinessProbe),
      scaleSettings: { scaleType: 'Default' },
      dataCollector: spec.dataCollector,
    }),
  };
}

function probeToArm(probeSettings: ProbeSettings): Record<string, unknown> {
  return {
    initialDelay: isoFromSeconds(probeSettings.initialDelayS),
    period: isoFromSeconds(probeSettings.periodS),
    timeout: isoFromSeconds(probeSettings.timeoutS),
    successThreshold: probeSettings.successThreshold,
    failureThreshold: probeSettings.failureThreshold,
  };
}
