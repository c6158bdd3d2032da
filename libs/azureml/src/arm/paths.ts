import type { ResourceKind } from '@mooring/domain';

/** Domain fields whose place in a body is not `properties.<same name>`; the longest that fits counts. */
const common: Readonly<Record<string, string>> = { tags: 'tags', identity: 'identity' };

const deployment: Readonly<Record<string, string>> = {
  ...common,
  instanceCount: 'sku.capacity',
  environment: 'properties.environmentId',
  code: 'properties.codeConfiguration',
  'code.codeKey': 'properties.codeConfiguration.codeId',
  'code.code': 'properties.codeConfiguration.codeId',
  'code.scoringScript': 'properties.codeConfiguration.scoringScript',
  codeConfiguration: 'properties.codeConfiguration',
  'codeConfiguration.code': 'properties.codeConfiguration.codeId',
  'requestSettings.requestTimeoutMs': 'properties.requestSettings.requestTimeout',
  'requestSettings.maxQueueWaitMs': 'properties.requestSettings.maxQueueWait',
  ...probePaths('livenessProbe'),
  ...probePaths('readinessProbe'),
  'scaleSettings.type': 'properties.scaleSettings.scaleType',
};

const batchDeployment: Readonly<Record<string, string>> = {
  ...common,
  type: 'properties.deploymentConfiguration.deploymentConfigurationType',
  component: 'properties.deploymentConfiguration.componentId.assetId',
  model: 'properties.model.assetId',
  environment: 'properties.environmentId',
  code: 'properties.codeConfiguration',
  'code.codeKey': 'properties.codeConfiguration.codeId',
  'code.scoringScript': 'properties.codeConfiguration.scoringScript',
  job: 'properties',
  'job.instanceCount': 'properties.resources.instanceCount',
  'job.retrySettings.timeoutS': 'properties.retrySettings.timeout',
};

const byKind: Readonly<Record<ResourceKind, Readonly<Record<string, string>>>> = {
  'online-endpoint': common,
  'online-deployment': deployment,
  'batch-endpoint': { ...common, defaultDeployment: 'properties.defaults.deploymentName' },
  'batch-deployment': batchDeployment,
  model: { type: 'properties.modelType', path: 'properties.modelUri' },
  environment: { 'build.contextPath': 'properties.build.contextUri' },
  code: { path: 'properties.codeUri' },
  data: { type: 'properties.dataType', path: 'properties.dataUri' },
  component: { component: 'properties.componentSpec' },
};

function probePaths(probe: string): Record<string, string> {
  return {
    [`${probe}.initialDelayS`]: `properties.${probe}.initialDelay`,
    [`${probe}.periodS`]: `properties.${probe}.period`,
    [`${probe}.timeoutS`]: `properties.${probe}.timeout`,
  };
}

/** Maps whose keys are the user's own words and must not be touched. */
const maps = new Set(['component', 'tags', 'properties', 'traffic', 'mirrorTraffic', 'environmentVariables']);

/**
 * Where a domain problem's path (`requestSettings.requestTimeoutMs`, or YAML's `mirror_traffic.luca`) is in a body:
 * `properties.requestSettings.requestTimeout`, `properties.mirrorTraffic.luca`.
 */
export function armPathOf(kind: ResourceKind, path: string): string {
  const [first = '', ...rest] = path.split('.');
  const camelFirst = camel(first);
  const segments = [camelFirst, ...(maps.has(camelFirst) ? rest : rest.map(camel))];
  const table = byKind[kind];
  for (let length = segments.length; length > 0; length -= 1) {
    const prefix = segments.slice(0, length).join('.');
    if (Object.hasOwn(table, prefix)) return [table[prefix], ...segments.slice(length)].join('.');
  }
  return `properties.${segments.join('.')}`;
}

function camel(segment: string): string {
  return segment.replace(/_([a-z])/g, (_all, letter: string) => letter.toUpperCase());
}
