import type {
  BatchEndpointSpec,
  CodeVersionSpec,
  ComponentVersionSpec,
  DataVersionSpec,
  EnvironmentVersionSpec,
  ModelBatchDeploymentSpec,
  ModelVersionSpec,
  OnlineDeploymentSpec,
  OnlineEndpointSpec,
} from './index.ts';
import { batchJobDefaults, probeDefaults, requestSettingsDefaults } from './index.ts';

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

export function batchEndpointSpec(changes: Partial<BatchEndpointSpec> = {}): BatchEndpointSpec {
  return { tags: {}, properties: {}, authMode: 'aad_token', ...changes };
}

export function batchDeploymentSpec(changes: Partial<ModelBatchDeploymentSpec> = {}): ModelBatchDeploymentSpec {
  return {
    tags: {},
    properties: {},
    type: 'model',
    model: 'fern/1',
    environmentVariables: {},
    compute: 'local',
    job: batchJobDefaults,
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

export function dataSpec(changes: Partial<DataVersionSpec> = {}): DataVersionSpec {
  return { ...asset, type: 'uri_folder', path: 'data/photos', ...changes };
}

export function componentSpec(changes: Partial<ComponentVersionSpec> = {}): ComponentVersionSpec {
  return { ...asset, component: { type: 'command', command: 'true' }, ...changes };
}
