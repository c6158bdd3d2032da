import { availableParallelism } from 'node:os';
import { sliceMs, type Slice } from '../generator/jobs.ts';
import type { Measured } from '../measure.ts';
import { rssMib, withDescendants } from '../processes/proc.ts';
import type { Shot } from '../systems/system.ts';
import type { Subject } from '../session.ts';
import { closedLoop, prime, sampleOf, turns, type Run } from './closed.ts';

const deadlineMs = 1_000;
/** Callers that were given no answer in this time are gone; a server that keeps the deadline needs none of it. */
const timeoutMs = 5_000;
const openMax = 2_000;
/** Where queues are a thousand times as long, when a request is sent need not be known to a tenth of it. */
const tickMs = 1;
const capacityInFlight = 16;
const peakMs = 3_000;
/** Before and after the overload. */
const calmShare = 0.3;
const calmMs = 2_000;
const afterMs = 6_000;

/** Arrivals beyond capacity, with a calm time before and after. */
export async function measureOverload(run: Run): Promise<void> {
  await prime(run, capacityInFlight);
  for (const { repeat, x, subject } of turns(run)) {
    const peak = async (): Promise<Peak> => {
      const times = { ...run.times, durationMs: Math.max(peakMs, run.times.durationMs / 4) };
      const measured = await closedLoop({ ...run, times }, subject, capacityInFlight);
      return { perSecond: sampleOf(measured).perSecond, cpuUs: measured.cpuUs, coresLeft: coresLeft(measured) };
    };
    const before = await peak();
    const { during, sample, more } = await overload(run, subject, before.perSecond * x, before.perSecond);
    // The machine may not be the same all the time: what the server can is measured on both sides.
    const all = { ...goodput(during, sample.perSecond, meanOf(before, await peak())), ...more };
    run.onSample({ ...sample, more: all, workload: run.workload.name, system: subject.name, x, repeat }, during);
  }
}

/** What the server reaches in a closed loop, what an answer costs it then, and the cores that it has. */
interface Peak {
  perSecond: number;
  cpuUs: number;
  coresLeft: number;
}

function meanOf(one: Peak, other: Peak): Peak {
  return {
    perSecond: (one.perSecond + other.perSecond) / 2,
    cpuUs: (one.cpuUs + other.cpuUs) / 2,
    coresLeft: (one.coresLeft + other.coresLeft) / 2,
  };
}

/** What the load generator and other programs left of the machine. */
function coresLeft({ generatorCores, otherCores }: Pick<Measured, 'generatorCores' | 'otherCores'>): number {
  return availableParallelism() - generatorCores - otherCores;
}

/**
 * Good answers against the peak, as they are, and against what the peak would be on the cores that were left: ten times the
 * requests take the generator ten times the processor, of the very machine whose peak was measured without that. And what
 * one refusal cost: all that the good answers, at their price at the peak, do not account for.
 */
export function goodput(
  during: Pick<Measured, 'sent' | 'seconds' | 'cpuUs' | 'generatorCores' | 'otherCores'>,
  goodPerSecond: number,
  peak: Peak,
): Record<string, number> {
  const good = goodPerSecond * during.seconds;
  return {
    'peak/s': peak.perSecond,
    'goodput %': (100 * goodPerSecond) / peak.perSecond,
    'on cores left %': (100 * goodPerSecond) / (peak.perSecond * (coresLeft(during) / peak.coresLeft)),
    'refusal us': (during.sent * during.cpuUs - good * peak.cpuUs) / Math.max(1, during.sent - good),
  };
}

async function overload({ session, times }: Run, subject: Subject, perSecond: number, capacity: number) {
  const shot = subject.shot as Shot;
  const headers = { ...shot.headers, 'x-request-timeout-ms': String(deadlineMs) };
  const roots = subject.host?.pids() ?? [];
  const before = rssMib(withDescendants(roots));
  const phases = [
    { perSecond: calmShare * capacity, durationMs: calmMs },
    { perSecond, durationMs: times.durationMs },
    { perSecond: calmShare * capacity, durationMs: afterMs },
  ];
  const job = { target: session.meter.target({ ...shot, headers }), timeoutMs, openMax, waitingMax: 0, tickMs, phases };
  const [calm, during, after] = (await session.meter.open(job, roots)) as [Measured, Measured, Measured];
  const { statuses } = during;
  const refused = ['408', '429', '503', '504'].reduce((sum, status) => sum + (statuses[status] ?? 0), 0);
  const sample = sampleOf(during);
  const more = {
    '429+503': (statuses['429'] ?? 0) + (statuses['503'] ?? 0),
    '408+504': (statuses['408'] ?? 0) + (statuses['504'] ?? 0),
    unexplained: during.unexplained,
    'refused p99 ms': during.refusedP99Ms,
    'no answer': statuses['none'] ?? 0,
    dropped: during.dropped,
    'generator cores': during.generatorCores,
    'RSS +%': 100 * (during.rssMib / before - 1),
    'normal s': normalAfterSeconds(after.slices, calm.maxMs),
  };
  // Refusals are what is wanted here; only what else went wrong is a failure.
  return { during, more, sample: { ...sample, failed: sample.failed - refused } };
}

/**
 * When everything was answered again, and no slower than twice the slowest of the calm time, until the end: seconds after the
 * overload. NaN when it never was.
 */
export function normalAfterSeconds(slices: readonly Slice[], calmMaxMs: number): number {
  const bad = slices.findLastIndex(({ due, good, maxMs }) => good < due || maxMs > 2 * calmMaxMs);
  return bad === slices.length - 1 && bad >= 0 ? Number.NaN : ((bad + 1) * sliceMs) / 1_000;
}
