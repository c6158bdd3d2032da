import type { Measured } from '../measure.ts';
import type { Sample } from '../report/samples.ts';
import type { Session, Subject } from '../session.ts';
import type { Workload } from './workloads.ts';

export interface Times {
  warmupMs: number;
  durationMs: number;
}

/** What every way of measuring gets. */
export interface Run {
  session: Session;
  workload: Workload;
  subjects: readonly Subject[];
  points: readonly number[];
  repeats: number;
  times: Times;
  /** Cores that other programs may take before a measurement is made again. */
  othersMax: number;
  /** One more measurement was made. */
  onSample(sample: Sample, measured: Measured): void;
}

const timeoutMs = 30_000;
const attemptsMax = 4;

/** Systems take turns within each repeat, each time beginning with another one. */
export function* turns(run: Run): Generator<{ repeat: number; x: number; subject: Subject }> {
  for (let repeat = 1; repeat <= run.repeats; repeat += 1) {
    for (const x of run.points) {
      const from = repeat % Math.max(1, run.subjects.length);
      for (const subject of [...run.subjects.slice(from), ...run.subjects.slice(0, from)]) yield { repeat, x, subject };
    }
  }
}

/** By then V8 has compiled what it will: a server that answers 300 requests a second spent 0.4 ms of CPU on that for each in its first second. */
const primingRequests = 4_000;
const primingMsMax = 12_000;

/** Compilers and caches of all systems get used to the requests before any of them counts. */
export async function prime(run: Run, inFlight = 8): Promise<void> {
  const times = { warmupMs: 0, durationMs: Math.min(3_000, run.times.durationMs * 1.5) };
  for (const subject of run.subjects) {
    if (subject.loop !== undefined) continue;
    let answered = 0;
    for (let spentMs = 0; spentMs < primingMsMax && answered < primingRequests; spentMs += times.durationMs) {
      answered += (await oneLoop({ ...run, times }, subject, inFlight)).good;
    }
  }
}

/** As many callers as the point says, each with one request in flight. */
export async function measureClosed(run: Run): Promise<void> {
  await prime(run);
  for (const { repeat, x, subject } of turns(run)) {
    const measured = await closedLoop(run, subject, x);
    run.onSample({ ...sampleOf(measured), workload: run.workload.name, system: subject.name, x, repeat }, measured);
  }
}

/** Once, or more often while other programs take too many cores; then the quietest counts, for every system alike. */
export async function closedLoop(run: Run, subject: Subject, inFlight: number): Promise<Measured> {
  let quietest = await oneLoop(run, subject, inFlight);
  for (let again = 1; again < attemptsMax && quietest.otherCores > run.othersMax; again += 1) {
    const next = await oneLoop(run, subject, inFlight);
    if (next.otherCores < quietest.otherCores) quietest = next;
  }
  return quietest;
}

function oneLoop({ session, times }: Run, { host, shot, loop }: Subject, inFlight: number): Promise<Measured> {
  if (loop !== undefined) return session.meter.loop(loop, times);
  if (shot === undefined || host === undefined) throw new Error('neither a loop nor a server');
  return session.meter.closed({ target: session.meter.target(shot), inFlight, timeoutMs, ...times }, host.pids());
}

export function sampleOf(measured: Measured): Omit<Sample, 'workload' | 'system' | 'x' | 'repeat'> {
  const { good, seconds, p50Ms, p99Ms, maxMs, cpuUs, statuses, trouble } = measured;
  const answered = Object.entries(statuses);
  const failed = answered.reduce((sum, [status, count]) => (status === '200' ? sum : sum + count), 0);
  return {
    perSecond: good / seconds,
    p50Ms,
    p99Ms,
    maxMs,
    failed,
    ...(Number.isNaN(cpuUs) ? {} : { cpuUs }),
    ...(trouble === '' ? {} : { trouble }),
  };
}
