import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { HotCounter, HotGauge, HotHistogram, ReadGauge } from './hot-metrics.ts';

/**
 * Every metric of the platform: names, labels and buckets in one place (metrics-and-traces 6.3). Base units, histograms,
 * one set of labels. Never a key, a user or a request id as a label.
 */
export const registry = new Registry();
collectDefaultMetrics({ register: registry });

const registers = [registry];
/** Our own part of a request is well below a millisecond, so the buckets begin there. */
const durationBuckets = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 180];
const stageBuckets = [0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1, 5, 30];
const where = ['endpoint', 'deployment'] as const;

export const metrics = {
  requests: new HotCounter({
    name: 'mooring_requests_total',
    help: 'Requests answered, by protocol, status code and reason of failure.',
    labelNames: [...where, 'protocol', 'code', 'reason'],
    registers,
  }),
  requestDuration: new HotHistogram({
    name: 'mooring_request_duration_seconds',
    help: 'From the first byte of a request to the last byte of its answer.',
    labelNames: [...where, 'protocol'],
    buckets: durationBuckets,
    registers,
  }),
  gatewayOverhead: new HotHistogram({
    name: 'mooring_gateway_overhead_seconds',
    help: 'Time of a request that was not spent in its instance.',
    labelNames: [...where],
    buckets: stageBuckets,
    registers,
  }),
  stageDuration: new HotHistogram({
    name: 'mooring_stage_duration_seconds',
    help: 'Time of a request by stage: read, auth, route, transport, queue, batch_wait, preprocess, compute, postprocess, write.',
    labelNames: [...where, 'stage'],
    buckets: stageBuckets,
    registers,
  }),
  inFlight: new HotGauge({
    name: 'mooring_in_flight',
    help: 'Requests being answered now.',
    labelNames: [...where],
    registers,
  }),
  queueLimit: new Gauge({
    name: 'mooring_queue_limit',
    help: 'Requests that a deployment takes at once before it answers 429, or 503 while an instance is slow.',
    labelNames: [...where],
    registers,
  }),
  queueDepth: new Gauge({
    name: 'mooring_queue_depth',
    help: 'Requests beyond those that the instances of a deployment run at once.',
    labelNames: [...where],
    registers,
  }),
  batchRows: new HotHistogram({
    name: 'mooring_batch_rows',
    help: 'Rows of one model run.',
    labelNames: [...where],
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
    registers,
  }),
  batchExecutions: new HotCounter({
    name: 'mooring_batch_executions_total',
    help: 'Model runs that live requests shared or had alone.',
    labelNames: [...where],
    registers,
  }),
  rejected: new HotCounter({
    name: 'mooring_rejected_total',
    help: 'Requests refused before the model saw them.',
    labelNames: [...where, 'reason'],
    registers,
  }),
  cancelled: new HotCounter({
    name: 'mooring_cancelled_total',
    help: 'Requests whose caller left or whose time passed, by where they were: edge, queue, running.',
    labelNames: [...where, 'where'],
    registers,
  }),
  wastedCompute: new HotCounter({
    name: 'mooring_wasted_compute_seconds_total',
    help: 'Time of models that went into requests nobody waited for any more.',
    labelNames: [...where],
    registers,
  }),
  picks: new HotCounter({
    name: 'router_picks_total',
    help: 'Choices of a deployment, by why: weight, pin, fallback, mirror.',
    labelNames: [...where, 'why'],
    registers,
  }),
  ejections: new Counter({
    name: 'router_ejections_total',
    help: 'Instances taken out of rotation because calls to them failed.',
    labelNames: [...where],
    registers,
  }),
  retries: new Counter({
    name: 'router_retries_total',
    help: 'Calls given to another instance because the first had not started them.',
    labelNames: [...where],
    registers,
  }),
  retriesDenied: new Counter({
    name: 'router_retries_denied_total',
    help: 'Calls not given to another instance because retries were a tenth of all calls already.',
    labelNames: [...where],
    registers,
  }),
  responseCache: new HotCounter({
    name: 'mooring_response_cache_total',
    help: 'Requests of deployments with a response cache or single flight: hit, miss, shared.',
    labelNames: [...where, 'result'],
    registers,
  }),
  responseCacheBytes: new Gauge({
    name: 'mooring_response_cache_bytes',
    help: 'What the kept answers of a deployment take in this process.',
    labelNames: [...where],
    registers,
  }),
  idempotency: new HotCounter({
    name: 'mooring_idempotency_total',
    help: 'Requests with an Idempotency-Key: run, replayed, joined, reused, not_stored, taken_over, alone.',
    labelNames: ['endpoint', 'result'],
    registers,
  }),
  configGeneration: new Gauge({
    name: 'router_config_generation',
    help: 'Grows with every change of routing that this router has taken in.',
    registers,
  }),
  mirrorSent: new Counter({
    name: 'mirror_sent_total',
    help: 'Copies of live requests sent to a mirror deployment.',
    labelNames: [...where],
    registers,
  }),
  mirrorDropped: new Counter({
    name: 'mirror_dropped_total',
    help: 'Copies that were not sent, so that live requests are not slowed.',
    labelNames: [...where, 'reason'],
    registers,
  }),
  mirrorCompared: new Counter({
    name: 'mirror_compared_total',
    help: 'Mirrored answers compared with the live ones: equal, within, differs, failed.',
    labelNames: [...where, 'result'],
    registers,
  }),
  mirrorLatencyDelta: new Histogram({
    name: 'mirror_latency_delta_seconds',
    help: 'Mirror minus live.',
    labelNames: [...where],
    buckets: [-1, -0.1, -0.01, -0.001, 0, 0.001, 0.01, 0.1, 1],
    registers,
  }),
  scorerRestarts: new Counter({
    name: 'scorer_restarts_total',
    help: 'Instances started again, by why: crash, memory, liveness.',
    labelNames: [...where, 'why'],
    registers,
  }),
  scorerColdStarts: new Counter({
    name: 'scorer_cold_starts_total',
    help: 'Instances started.',
    labelNames: [...where],
    registers,
  }),
  scorerColdStart: new Histogram({
    name: 'scorer_cold_start_seconds',
    help: 'From the start of an instance to its readiness.',
    labelNames: [...where],
    buckets: [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    registers,
  }),
  modelLoads: new Counter({
    name: 'model_loads_total',
    help: 'Instances that came to serve their model (loaded) or ended before (failed).',
    labelNames: [...where, 'result'],
    registers,
  }),
  scorerResident: new Gauge({
    name: 'scorer_resident_bytes',
    help: 'Resident memory of an instance and its workers.',
    labelNames: [...where, 'instance'],
    registers,
  }),
  batchItems: new Counter({
    name: 'batch_rows_total',
    help: 'Items of batch jobs (rows, or files): ok, failed, skipped, and duplicate_suppressed, whose results were thrown away because another run was first.',
    labelNames: [...where, 'result'],
    registers,
  }),
  batchMiniBatches: new ReadGauge({
    name: 'batch_chunks',
    help: 'Mini-batches of jobs that have not ended: done, and open (those that are being run, too).',
    labelNames: [...where, 'state'],
    registers,
  }),
  batchRedeliveries: new Counter({
    name: 'batch_redeliveries_total',
    help: 'Mini-batches that a worker got after another one had them and gave no result.',
    labelNames: [...where],
    registers,
  }),
  batchJobAge: new ReadGauge({
    name: 'batch_job_age_seconds',
    help: 'Since the oldest job that has not ended was accepted.',
    labelNames: [...where],
    registers,
  }),
  batchDuplicateOutputs: new Counter({
    name: 'batch_duplicate_outputs_total',
    help: 'Items that were found more than once in the output of a job. Anything above 0 is an alarm.',
    labelNames: [...where],
    registers,
  }),
} as const;
