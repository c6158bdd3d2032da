/** Limit: one model run after the other in a process that does nothing else, one thread. Jobs and results go by IPC. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { Histogram } from '../generator/histogram.ts';

export interface LoopJob {
  modelFile: string;
  input: string;
  shape: number[];
  data: number[];
  /** Whose numbers are wanted. */
  output: string;
  warmupMs: number;
  durationMs: number;
}

export interface LoopResult {
  /** The output's numbers. */
  values: number[];
  runs: number;
  good: number;
  buckets: [number, number][];
  maxMs: number;
  cpuUs: number;
}

let session: InferenceSession | undefined;
let loaded = '';

async function load(modelFile: string): Promise<InferenceSession> {
  if (session === undefined || loaded !== modelFile) {
    session = await InferenceSession.create(modelFile, { intraOpNumThreads: 1, interOpNumThreads: 1 });
    loaded = modelFile;
  }
  return session;
}

async function run({ modelFile, input, shape, data, output, warmupMs, durationMs }: LoopJob): Promise<LoopResult> {
  const running = await load(modelFile);
  const feeds = { [input]: new Tensor('float32', Float32Array.from(data), shape) };
  const values = Array.from((await running.run(feeds))[output]?.data as Float32Array);
  const latencies = new Histogram();
  const cpu = process.cpuUsage();
  const from = performance.now() + warmupMs;
  const until = from + durationMs;
  let runs = 0;
  for (let now = performance.now(); now < until;) {
    await running.run(feeds);
    const after = performance.now();
    runs += 1;
    if (now >= from && after < until) latencies.add(after - now);
    now = after;
  }
  const used = process.cpuUsage(cpu);
  const cpuUs = used.user + used.system;
  return { values, runs, good: latencies.total, buckets: latencies.toJSON(), maxMs: latencies.maxMs, cpuUs };
}

process.on('message', (job: LoopJob) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
