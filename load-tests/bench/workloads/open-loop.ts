import type { Shot } from '../systems/system.ts';
import { closedLoop, prime, sampleOf, turns, type Run } from './closed.ts';

const timeoutMs = 10_000;
/** Beyond it requests wait in the generator: opening hundreds of connections after a hiccup would be a load of its own. */
const openMax = 64;
const waitingMax = 1_000_000;
const capacityInFlight = 8;

/** A constant arrival rate, a share of what a closed loop of the same repeat reached. */
export async function measureOpenLoop(run: Run): Promise<void> {
  await prime(run);
  const capacities = new Map<string, number>();
  for (const { repeat, x, subject } of turns(run)) {
    const known = `${subject.name} ${repeat}`;
    const capacity = capacities.get(known) ?? sampleOf(await closedLoop(run, subject, capacityInFlight)).perSecond;
    capacities.set(known, capacity);
    const { session, times } = run;
    const phases = [times.warmupMs, times.durationMs].map((durationMs) => ({ perSecond: x * capacity, durationMs }));
    const job = { target: session.meter.target(subject.shot as Shot), timeoutMs, openMax, waitingMax, phases };
    const measured = (await session.meter.open(job, subject.host?.pids() ?? [])).at(-1);
    if (measured === undefined) continue;
    const sample = sampleOf(measured);
    const more = {
      'p99 / p50': sample.p99Ms / sample.p50Ms,
      'lag p99 ms': measured.lagP99Ms,
      dropped: measured.dropped,
      'generator cores': measured.generatorCores,
    };
    run.onSample({ ...sample, more, workload: run.workload.name, system: subject.name, x, repeat }, measured);
  }
}
