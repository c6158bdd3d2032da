import type {
  CodeVersionSpec,
  EnvironmentVersionSpec,
  ModelVersionSpec,
  OnlineDeploymentSpec,
  OnlineEndpointSpec,
} from './index.ts';
import { probeDefaults, requestSettingsDefaults } from './index.ts';

/** Sound specs as the registry gets them, for tests to bend. */

export function endpointSpec(changes: Partial<OnlineEndpointSpec> = {}): OnlineEndpointSpec {
  return {
    tags: {},
    properties: {},
    authMode: 'key',
    traffic: {},
    mirrorTraffic: {},
    publicNetworkAccess: 'enabled',
    ...changes,
  };
}

export function deploymentSpec(changes: Partial<OnlineDeploymentSpec> = {}): OnlineDeploymentSpec {
  return {
    tags: {},
    properties: {},
    model: 'fern/1',
    environmentVariables: {},
    instanceType: 'Standard_DS2_v2',
    instanceCount: 1,
    appInsightsEnabled: false,
    egressPublicNetworkAccess: 'enabled',
    requestSettings: requestSettingsDefaults,
    livenessProbe: probeDefaults,
    readinessProbe: probeDefaults,
    scaleSettings: { type: 'default' },
    ...changes,
  };
}

const asset = { tags: {}, properties: {}, isAnonymous: false, isArchived: false };

export function modelSpec(changes: Partial<ModelVersionSpec> = {}): ModelVersionSpec {
  return { ...asset, type: 'custom_model', path: 'models/fern', ...changes };
}

export function environmentSpec(changes: Partial<EnvironmentVersionSpec> = {}): EnvironmentVersionSpec {
  return { ...asset, osType: 'linux', image: 'python:3.11', ...changes };
}

export function codeSpec(changes: Partial<CodeVersionSpec> = {}): CodeVersionSpec {
  return { ...asset, path: 'code/fern', ...changes };
}
