import {
  probeDefaults,
  requestSettingsDefaults,
  type OnlineDeploymentSpec,
  type OnlineEndpointSpec,
} from '@mooring/domain';

/** An endpoint for tests. */
export function endpointSpec(overrides: Partial<OnlineEndpointSpec> = {}): OnlineEndpointSpec {
  return {
    tags: {},
    properties: {},
    authMode: 'key',
    traffic: {},
    mirrorTraffic: {},
    publicNetworkAccess: 'enabled',
    ...overrides,
  };
}

/** A deployment for tests: an ONNX model without code. */
export function deploymentSpec(overrides: Partial<OnlineDeploymentSpec> = {}): OnlineDeploymentSpec {
  return {
    tags: {},
    properties: {},
    model: 'iris/1',
    environmentVariables: {},
    instanceType: 'Standard_DS1_v2',
    instanceCount: 1,
    appInsightsEnabled: false,
    egressPublicNetworkAccess: 'enabled',
    requestSettings: requestSettingsDefaults,
    livenessProbe: probeDefaults,
    readinessProbe: probeDefaults,
    scaleSettings: { type: 'default' },
    ...overrides,
  };
}

const quickProbe = { ...probeDefaults, initialDelayS: 1, periodS: 1, timeoutS: 1 };

/** A deployment of the iris model for tests that start it: small, and probed often. */
export function irisSpec(overrides: Partial<OnlineDeploymentSpec> = {}): OnlineDeploymentSpec {
  return deploymentSpec({
    properties: { 'mooring.cpu': '1', 'mooring.memory-mib': '512' },
    readinessProbe: quickProbe,
    livenessProbe: { ...quickProbe, failureThreshold: 3 },
    requestSettings: { ...requestSettingsDefaults, maxConcurrentRequestsPerInstance: 8 },
    ...overrides,
  });
}
