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
