import { MooringHost } from '../systems/mooring.ts';
import { closedLoop, prime, sampleOf, turns, type Run } from './closed.ts';

const inFlight = 8;

/** Closed loops on one endpoint while the platform has as many as the point says; the others have no deployment. */
export async function measureEndpoints(run: Run): Promise<void> {
  await prime(run);
  for (const x of run.points.toSorted((a, b) => a - b)) {
    for (const { host } of run.subjects) if (host instanceof MooringHost) await host.growTo(x);
    for (const { repeat, subject } of turns({ ...run, points: [x] })) {
      const measured = await closedLoop(run, subject, inFlight);
      run.onSample({ ...sampleOf(measured), workload: run.workload.name, system: subject.name, x, repeat }, measured);
    }
  }
}
