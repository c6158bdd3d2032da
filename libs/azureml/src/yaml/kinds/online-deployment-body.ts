import type { ArmBody } from '../drafts.ts';
import { isoFromMs, isoFromSeconds } from '../../reading/durations.ts';
import type { DeploymentValues } from './online-deployment-fields.ts';
import { present } from '../../reading/present.ts';

/** What the file says as a REST body; the assets that it names are not in it yet. */
export function bodyOf(read: DeploymentValues): ArmBody {
  const settings = read.request_settings;
  return {
    location: 'local',
    tags: read.tags ?? {},
    sku: { name: 'Default', capacity: read.instance_count ?? 1 },
    properties: present({
      endpointComputeType: 'Managed',
      description: read.description,
      properties: read.properties ?? {},
      environmentVariables: read.environment_variables ?? {},
      appInsightsEnabled: read.app_insights_enabled ?? false,
      instanceType: read.instance_type,
      modelMountPath: read.model_mount_path,
      egressPublicNetworkAccess: read.egress_public_network_access,
      scaleSettings: read.scale_settings?.type && { scaleType: read.scale_settings.type },
      requestSettings:
        settings &&
        present({
          requestTimeout: optional(settings.request_timeout_ms, isoFromMs),
          maxConcurrentRequestsPerInstance: settings.max_concurrent_requests_per_instance,
          maxQueueWait: optional(settings.max_queue_wait_ms, isoFromMs),
        }),
      livenessProbe: probeBody(read.liveness_probe),
      readinessProbe: probeBody(read.readiness_probe),
      dataCollector: collectorBody(read.data_collector),
    }),
  };
}

function optional<A, B>(value: A | undefined, convert: (value: A) => B): B | undefined {
  return value === undefined ? undefined : convert(value);
}

function probeBody(values: DeploymentValues['liveness_probe']): Record<string, unknown> | undefined {
  if (values === undefined) return undefined;
  return present({
    initialDelay: optional(values.initial_delay, isoFromSeconds),
    period: optional(values.period, isoFromSeconds),
    timeout: optional(values.timeout, isoFromSeconds),
    successThreshold: values.success_threshold,
    failureThreshold: values.failure_threshold,
  });
}

/** REST has the sampling rate at each collection, YAML beside them (azureml-contract 1.3). */
function collectorBody(values: DeploymentValues['data_collector']): Record<string, unknown> | undefined {
  if (values === undefined) return undefined;
  const collections = Object.entries(values.collections ?? {}).map(([name, { enabled }]) => [
    name,
    present({ dataCollectionMode: enabled ? 'Enabled' : 'Disabled', samplingRate: values.sampling_rate }),
  ]);
  return present({
    collections: Object.fromEntries(collections) as Record<string, unknown>,
    rollingRate: values.rolling_rate,
    requestLogging: values.request_logging && { captureHeaders: values.request_logging.capture_headers ?? [] },
  });
}
