import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Child, until } from '../processes/child.ts';
import { Histogram } from './histogram.ts';
import { goodStatus, statusName, type ClosedJob, type LoadResult } from './jobs.ts';
import { Tally } from './tally.ts';

/** wrk and ghz: load generators that many know, to hold the own one against. Their CPU counts as this benchmark's. */

const graceMs = 30_000;
const protoFolder = fileURLToPath(new URL('../../../proto/third_party/inference', import.meta.url));

const wrkScript = (bodyFile: string, headers: Readonly<Record<string, string>>): string => `
wrk.method = "POST"
local file = io.open(${JSON.stringify(bodyFile)}, "rb"); wrk.body = file:read("*a"); file:close()
${Object.entries(headers)
  .map(([name, value]) => `wrk.headers[${JSON.stringify(name)}] = ${JSON.stringify(value)}`)
  .join('\n')}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nJSON{"sent":%d,"us":%d,"bad":%d,"lost":%d,"p50":%f,"p99":%f,"max":%f}\\n', summary.requests,
    summary.duration, e.status, e.connect + e.read + e.write + e.timeout, latency:percentile(50), latency:percentile(99), latency.max))
end
`;

/** A closed loop by wrk, which counts in whole seconds and has no warm-up: that is a run before. */
export async function runWrk(job: ClosedJob, signal: AbortSignal): Promise<LoadResult> {
  const { host, port, requestFile } = job.target;
  const { head, headers } = splitRequest(readFileSync(requestFile), `${requestFile}.body`);
  const script = `${requestFile}.lua`;
  writeFileSync(script, wrkScript(`${requestFile}.body`, headers));
  const run = (durationMs: number): Promise<string> => {
    const seconds = Math.max(1, Math.round(durationMs / 1_000));
    const load = ['-t1', `-c${job.inFlight}`, `-d${seconds}s`, '--timeout', `${Math.ceil(job.timeoutMs / 1_000)}s`];
    return output('wrk', [...load, '-s', script, `http://${host}:${port}${head}`], durationMs + graceMs, signal);
  };
  let warmedUp = 0;
  if (job.warmupMs > 0) warmedUp = wrkFigures(await run(job.warmupMs)).sent;
  const { sent, us, bad, lost, p50, p99, max } = wrkFigures(await run(job.durationMs));
  const good = sent - bad;
  return {
    ...new Tally().result(us / 1_000, 0),
    sent: sent + warmedUp,
    good,
    p50Ms: p50 / 1_000,
    p99Ms: p99 / 1_000,
    maxMs: max / 1_000,
    statuses: { [goodStatus]: good, ...(bad > 0 ? { other: bad } : {}), ...(lost > 0 ? { none: lost } : {}) },
    trouble: bad + lost > 0 ? `wrk: ${bad} bad statuses, ${lost} lost` : '',
  };
}

type WrkFigures = Record<'sent' | 'us' | 'bad' | 'lost' | 'p50' | 'p99' | 'max', number>;

function wrkFigures(text: string): WrkFigures {
  const found = /JSON(\{.*\})/.exec(text)?.[1];
  if (found === undefined) throw new Error(`wrk wrote no figures: ${text.slice(-300)}`);
  return JSON.parse(found) as WrkFigures;
}

/** Path, headers and body of a prepared request; the body goes into a file. */
function splitRequest(bytes: Buffer, bodyFile: string): { head: string; headers: Record<string, string> } {
  const end = bytes.indexOf('\r\n\r\n');
  writeFileSync(bodyFile, bytes.subarray(end + 4));
  const [line = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n');
  const pairs = lines.map((one) => [one.slice(0, one.indexOf(':')), one.slice(one.indexOf(':') + 1).trim()] as const);
  const own = pairs.filter(([name]) => !/^(host|content-length)$/i.test(name));
  return { head: line.split(' ')[1] ?? '/', headers: Object.fromEntries(own) };
}

interface GhzReport {
  total: number;
  details?: { latency: number; status: string }[];
  statusCodeDistribution?: Record<string, number>;
}

/** A closed loop by ghz, raw bytes. */
export async function runGhz(job: ClosedJob, signal: AbortSignal): Promise<LoadResult> {
  if (job.target.protocol !== 'grpc') throw new Error('ghz is for gRPC');
  const { host, port, requestFile, path, metadata } = job.target;
  const report = async (durationMs: number): Promise<GhzReport> => {
    const file = `${requestFile}.json`;
    const call = [
      '--insecure',
      '--import-paths',
      protoFolder,
      '--proto',
      'grpc_service.proto',
      '--call',
      path.slice(1),
    ];
    const load = [
      '-c',
      String(job.inFlight),
      '--connections',
      String(Math.min(8, job.inFlight)),
      '-z',
      `${durationMs}ms`,
    ];
    const rest = [
      '-B',
      requestFile,
      '-m',
      JSON.stringify(metadata),
      '--duration-stop',
      'ignore',
      '-O',
      'json',
      '-o',
      file,
    ];
    await output('ghz', [...call, ...load, ...rest, `${host}:${port}`], durationMs + graceMs, signal);
    return JSON.parse(readFileSync(file, 'utf8')) as GhzReport;
  };
  const before = job.warmupMs > 0 ? await report(job.warmupMs) : undefined;
  const { total, details = [], statusCodeDistribution = {} } = await report(job.durationMs);
  const latencies = new Histogram();
  for (const { latency, status } of details) if (status === 'OK') latencies.add(latency / 1e6);
  const statuses = Object.entries(statusCodeDistribution).map(([code, count]) => [
    code === 'OK' ? statusName(goodStatus) : `grpc ${code}`,
    count,
  ]);
  return {
    ...new Tally().result(total / 1e6, 0),
    sent: details.length + (before?.details?.length ?? 0),
    good: latencies.total,
    p50Ms: latencies.quantileMs(0.5),
    p99Ms: latencies.quantileMs(0.99),
    maxMs: latencies.maxMs,
    statuses: Object.fromEntries(statuses) as Record<string, number>,
  };
}

async function output(
  program: string,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<string> {
  const child = Child.program(program, program, args, {});
  let isClosed = false;
  child.process.once('close', () => (isClosed = true));
  try {
    await until(
      async () => isClosed || child.process.pid === undefined,
      timeoutMs,
      signal,
      () => `${program} did not end in time`,
    );
  } finally {
    await child.stop(1_000);
  }
  if (child.process.pid === undefined) throw new Error(`${program} is not in PATH`);
  if (child.process.exitCode !== 0) throw new Error(child.ended());
  return child.log;
}
