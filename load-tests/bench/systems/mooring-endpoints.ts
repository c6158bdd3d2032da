import type { ModelName } from '../payloads.ts';
import type { Row } from './system.ts';

/** One endpoint with one deployment that gets all its traffic. */
export interface EndpointPlan {
  name: string;
  model?: ModelName;
  /** File below `scripts/`. */
  script?: string;
  /** Worker processes of a script. */
  workers?: number;
  properties?: Readonly<Record<string, string>>;
}

export type Surface = 'oip' | 'oip-binary' | 'score' | 'grpc';

/** What a row of the table calls. */
export interface Use {
  endpoint: EndpointPlan;
  surface: Surface;
}

const uses: Readonly<Record<string, { model?: ModelName; script?: string; workers?: number; surface: Surface }>> = {
  'iris-rest': { model: 'iris', surface: 'oip' },
  'iris-rest-binary': { model: 'iris', surface: 'oip-binary' },
  'iris-score': { model: 'iris', surface: 'score' },
  'iris-grpc': { model: 'iris', surface: 'grpc' },
  'cnn-rest': { model: 'cnn', surface: 'oip' },
  'script-rest': { script: 'sum.py', workers: 2, surface: 'score' },
  // A worker has one call at a time, so as many as there are callers.
  'script-wait20': { script: 'wait20.py', workers: 64, surface: 'score' },
  bodies: { model: 'iris', surface: 'oip' },
  'in-flight': { model: 'iris', surface: 'oip' },
  endpoints: { model: 'iris', surface: 'oip' },
  'open-loop': { model: 'iris', surface: 'oip' },
  overload: { model: 'cnn', surface: 'oip' },
};

export const mooringWorkloads: readonly string[] = Object.keys(uses);

/** The first rows leave the placement to the platform; the others pin it, or turn batching on. */
const variants: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  mooring: {},
  'mooring-split': {},
  'mooring-edges': {},
  'mooring-threads': { 'mooring.placement': 'threads' },
  'mooring-process': { 'mooring.placement': 'process' },
  'mooring-batch': { 'mooring.batch.max-rows': '16', 'mooring.batch.max-delay-us': '1000' },
};

export function useOf({ system, workload }: Row): Use {
  const use = uses[workload];
  const properties = variants[system];
  if (use === undefined || properties === undefined) throw new Error(`${system} does not serve ${workload}`);
  const { surface, ...plan } = use;
  const base = use.model ?? (use.script ?? '').replace('.py', '');
  const suffix = Object.keys(properties).length === 0 ? '' : system.replace('mooring', '');
  return { surface, endpoint: { ...plan, name: `${base}${suffix}`, properties } };
}

/** The deployment's YAML, as a user would write it. */
export function deploymentYaml(plan: EndpointPlan, modelFile: string | undefined, scripts: string): string {
  const probe = 'initial_delay: 1, period: 1, timeout: 2, success_threshold: 1';
  const lines = [
    `name: blue`,
    `endpoint_name: ${plan.name}`,
    'instance_type: Standard_DS2_v2',
    'instance_count: 1',
    `liveness_probe: {${probe}, failure_threshold: 30}`,
    `readiness_probe: {${probe}, failure_threshold: 60}`,
    'request_settings: {request_timeout_ms: 20000, max_concurrent_requests_per_instance: 256}',
  ];
  if (modelFile !== undefined) lines.push(`model: {path: ${modelFile}}`);
  if (plan.script !== undefined) {
    lines.push(`code_configuration: {code: ${scripts}, scoring_script: ${plan.script}}`);
    lines.push('environment: {image: "mcr.microsoft.com/azureml/minimal:1"}');
    lines.push(`environment_variables: {WORKER_COUNT: "${plan.workers ?? 1}"}`);
  }
  const properties = Object.entries(plan.properties ?? {});
  if (properties.length > 0) {
    lines.push('properties:', ...properties.map(([name, value]) => `  ${name}: "${value}"`));
  }
  return `${lines.join('\n')}\n`;
}
