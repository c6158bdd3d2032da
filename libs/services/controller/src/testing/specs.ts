import { probeDefaults, requestSettingsDefaults, type OnlineDeploymentSpec } from '@mooring/domain';
import { deploymentSpec } from '@mooring/domain/testing';

const quickProbe = { ...probeDefaults, initialDelayS: 1, periodS: 1, timeoutS: 1 };

/** A deployment of the iris model (ONNX, without code) for tests that start it: small, and probed often. */
export function irisSpec(overrides: Partial<OnlineDeploymentSpec> = {}): OnlineDeploymentSpec {
  return deploymentSpec({
    model: 'iris/1',
    instanceType: 'Standard_DS1_v2',
    properties: { 'mooring.cpu': '1', 'mooring.memory-mib': '512' },
    readinessProbe: quickProbe,
    livenessProbe: { ...quickProbe, failureThreshold: 3 },
    requestSettings: { ...requestSettingsDefaults, maxConcurrentRequestsPerInstance: 8 },
    ...overrides,
  });
}
