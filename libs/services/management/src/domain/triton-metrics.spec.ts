import { expect, it } from 'vitest';
import { tritonMetricsOf } from './triton-metrics.ts';

const page = [
  '# HELP mooring_requests_total Requests.',
  '# TYPE mooring_requests_total counter',
  'mooring_requests_total{endpoint="iris",deployment="blue",protocol="score",code="200",reason="",process="edge"} 7',
  'mooring_requests_total{endpoint="iris",deployment="blue",protocol="oip_rest",code="200",reason="",process="edge-2"} 5',
  'mooring_requests_total{endpoint="iris",deployment="blue",protocol="score",code="429",reason="QUEUE_FULL",process="edge"} 2',
  'mooring_requests_total{endpoint="iris",deployment="blue",protocol="score",code="503",reason="NO_INSTANCE",process="edge"} 1',
  'mooring_requests_total{endpoint="",deployment="",protocol="other",code="404",reason="X",process="edge"} 9',
  'mooring_batch_rows_sum{endpoint="iris",deployment="blue",process="edge"} 40',
  'mooring_batch_executions_total{endpoint="iris",deployment="blue",process="edge"} 12',
  'mooring_stage_duration_seconds_sum{endpoint="iris",deployment="blue",stage="compute",process="edge"} 0.25',
  'mooring_stage_duration_seconds_sum{endpoint="iris",deployment="blue",stage="queue",process="edge"} 0.5',
].join('\n');

it('says the same under the names and in the units of Triton, one series a deployment', () => {
  const lines = tritonMetricsOf(page).split('\n');
  for (const line of [
    'nv_inference_request_success{model="iris",version="blue"} 12',
    'nv_inference_request_failure{model="iris",version="blue",reason="REJECTED"} 3',
    'nv_inference_count{model="iris",version="blue"} 40',
    'nv_inference_exec_count{model="iris",version="blue"} 12',
    'nv_inference_compute_infer_duration_us{model="iris",version="blue"} 250000',
    'nv_inference_queue_duration_us{model="iris",version="blue"} 500000',
  ]) {
    expect(lines).toContain(line);
  }
});

it('leaves out what belongs to no deployment, and says what there is even without a sample', () => {
  expect(tritonMetricsOf(page)).not.toContain('model=""');
  expect(tritonMetricsOf('')).toContain('# TYPE nv_inference_count counter');
});
