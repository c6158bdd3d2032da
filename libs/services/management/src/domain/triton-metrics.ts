/**
 * The page of `/metrics` once more under Triton's names, in Triton's units, so that dashboards, scalers and tools made for
 * Triton read Mooring (names and units: Triton's `nv_inference_*`). `model` is the endpoint, `version` the deployment, as
 * over the Open Inference Protocol.
 */
interface TritonMetric {
  name: string;
  type: 'counter' | 'gauge';
  help: string;
  /** Sample of Mooring's that it is made of. */
  from: string;
  /** Only samples with these labels; a test each. */
  where?: Readonly<Record<string, (value: string) => boolean>>;
  /** Triton counts time in microseconds, Mooring in seconds. */
  times?: number;
  /** A label of Mooring's that goes along, as Triton calls it and says it. */
  reason?: (value: string) => string;
}

const microseconds = 1_000_000;
const stage = (name: string) => ({ stage: (value: string) => value === name });
const ok = { code: (value: string) => value === '200' };
const failed = { code: (value: string) => value !== '200' };

const tritonMetrics: readonly TritonMetric[] = [
  {
    name: 'nv_inference_request_success',
    type: 'counter',
    help: 'Requests that were answered.',
    from: 'mooring_requests_total',
    where: ok,
  },
  {
    name: 'nv_inference_request_failure',
    type: 'counter',
    help: 'Requests that failed, by reason: REJECTED, CANCELED, BACKEND, OTHER.',
    from: 'mooring_requests_total',
    where: failed,
    reason: failureReason,
  },
  { name: 'nv_inference_count', type: 'counter', help: 'Rows that were run.', from: 'mooring_batch_rows_sum' },
  {
    name: 'nv_inference_exec_count',
    type: 'counter',
    help: 'Model runs.',
    from: 'mooring_batch_executions_total',
  },
  {
    name: 'nv_inference_pending_request_count',
    type: 'gauge',
    help: 'Requests that wait.',
    from: 'mooring_queue_depth',
  },
  {
    name: 'nv_inference_request_duration_us',
    type: 'counter',
    help: 'Time of all requests.',
    from: 'mooring_request_duration_seconds_sum',
    times: microseconds,
  },
  ...(
    [
      ['queue', 'queue'],
      ['compute_input', 'preprocess'],
      ['compute_infer', 'compute'],
      ['compute_output', 'postprocess'],
    ] as const
  ).map(([triton, ours]): TritonMetric => ({
    name: `nv_inference_${triton}_duration_us`,
    type: 'counter',
    help: `Time of all requests in ${ours}.`,
    from: 'mooring_stage_duration_seconds_sum',
    where: stage(ours),
    times: microseconds,
  })),
];

/** HTTP statuses in Triton's words. */
function failureReason(code: string): string {
  if (code === '429' || code === '503') return 'REJECTED';
  if (code === '499') return 'CANCELED';
  return code === '424' || code === '500' ? 'BACKEND' : 'OTHER';
}

const sampleLine = /^([a-zA-Z_:][\w:]*)\{(.*)\} (\S+)$/;
const labelPair = /(\w+)="((?:[^"\\]|\\.)*)"/g;

export function tritonMetricsOf(page: string): string {
  const sums = new Map(tritonMetrics.map((metric) => [metric, new Map<string, number>()]));
  for (const line of page.split('\n')) {
    const [, name, labelText = '', value = ''] = sampleLine.exec(line) ?? [];
    if (name === undefined) continue;
    for (const [metric, series] of sums) if (metric.from === name) add(metric, series, labelText, Number(value));
  }
  return [...sums].map(([metric, series]) => textOf(metric, series)).join('');
}

/** Of several processes and protocols that say the same of one deployment, one series is made. */
function add(metric: TritonMetric, series: Map<string, number>, labelText: string, value: number): void {
  const labels = Object.fromEntries([...labelText.matchAll(labelPair)].map(([, key, text]) => [key, text ?? '']));
  const { endpoint = '', deployment = '', code = '' } = labels;
  const fits = Object.entries(metric.where ?? {}).every(([label, test]) => test(labels[label] ?? ''));
  if (endpoint === '' || deployment === '' || !fits || !Number.isFinite(value)) return;
  const reason = metric.reason === undefined ? '' : `,reason="${metric.reason(code)}"`;
  const key = `model="${endpoint}",version="${deployment}"${reason}`;
  series.set(key, (series.get(key) ?? 0) + value * (metric.times ?? 1));
}

function textOf({ name, type, help, times }: TritonMetric, series: ReadonlyMap<string, number>): string {
  const lines = [...series].map(
    ([labels, value]) => `${name}{${labels}} ${times === undefined ? value : Math.round(value)}\n`,
  );
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}
