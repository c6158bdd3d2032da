import { formatDuration } from '../duration.ts';
import type { ScenarioOf } from '../options.ts';
import { endInTime, type Executor, type ExecutorHost, type Vu } from './executor.ts';
import { constantArrivals, rampingArrivals, totalMs } from './schedule.ts';

// Timers count whole milliseconds; an arrival may begin half of one early rather than all of one late.
const earlyMs = 0.5;
// When many are due at once, answers get read between them.
const startsPerTurn = 32;

export function constantArrivalRate(scenario: ScenarioOf<'constant-arrival-rate'>, host: ExecutorHost): Executor {
  const { rate, timeUnit, duration: durationMs } = scenario;
  const about = `${((rate * 1_000) / timeUnit).toFixed(2)} iterations/s for ${formatDuration(durationMs)}`;
  return arrivals(scenario, durationMs, about, host, () => constantArrivals(rate, timeUnit, durationMs));
}

export function rampingArrivalRate(scenario: ScenarioOf<'ramping-arrival-rate'>, host: ExecutorHost): Executor {
  const { startRate, timeUnit, stages } = scenario;
  const durationMs = totalMs(stages);
  const highest = Math.max(startRate, ...stages.map((stage) => stage.target)) * (1_000 / timeUnit);
  const about = `Up to ${highest.toFixed(2)} iterations/s for ${formatDuration(durationMs)} over ${stages.length} stages`;
  return arrivals(scenario, durationMs, about, host, () => rampingArrivals(startRate, timeUnit, stages));
}

/**
 * Starts iterations when they are due, whether earlier ones have ended or not: an open model. What finds no free
 * virtual user is dropped and counted, never put off.
 */
function arrivals(
  scenario: ScenarioOf<'constant-arrival-rate' | 'ramping-arrival-rate'>,
  durationMs: number,
  about: string,
  host: ExecutorHost,
  schedule: () => Iterable<number>,
): Executor {
  const { preAllocatedVUs, gracefulStop } = scenario;
  const maxVus = Math.max(preAllocatedVUs, scenario.maxVUs ?? preAllocatedVUs);
  return {
    initialVus: preAllocatedVUs,
    maxVus,
    durationMs,
    about: `${about} (maxVUs: ${preAllocatedVUs === maxVus ? maxVus : `${preAllocatedVUs}-${maxVus}`})`,
    async run(vus) {
      const startedAt = host.clock.now();
      const pool = new Pool(vus, maxVus, host);
      let starts = 0;
      for (const atMs of schedule()) {
        const due = startedAt + atMs;
        const early = due - earlyMs - host.clock.now();
        if (early > 0) await host.clock.wait(early, host.stop);
        else if (++starts % startsPerTurn === 0) await host.clock.turn();
        if (host.stop.aborted) break;
        pool.start(due);
      }
      await host.clock.wait(startedAt + durationMs - host.clock.now(), host.stop);
      await endInTime(pool.drained(), pool.all, startedAt + durationMs + gracefulStop - host.clock.now(), host);
    },
  };
}

class Pool {
  readonly all: Vu[];
  private readonly idle: Vu[];
  private readonly running = new Set<Promise<void>>();
  private adding: Promise<void> | undefined;
  private readonly maxVus: number;
  private readonly host: ExecutorHost;

  constructor(vus: readonly Vu[], maxVus: number, host: ExecutorHost) {
    this.all = [...vus];
    this.idle = [...vus];
    this.maxVus = maxVus;
    this.host = host;
  }

  start(due: number): void {
    const vu = this.idle.shift();
    if (vu === undefined) {
      this.host.dropped();
      this.grow();
      return;
    }
    const iteration = this.iterate(vu, due);
    this.running.add(iteration);
    void iteration.finally(() => this.running.delete(iteration));
  }

  private async iterate(vu: Vu, due: number): Promise<void> {
    await vu.iterate(due);
    this.idle.push(vu);
  }

  async drained(): Promise<void> {
    await this.adding;
    await Promise.all(this.running);
  }

  /** One at a time, as in k6: preparing users costs the generator time that the load needs. */
  private grow(): void {
    if (this.adding !== undefined || this.all.length >= this.maxVus) return;
    this.adding = this.add();
  }

  private async add(): Promise<void> {
    const vu = await this.host.addVu();
    if (vu !== undefined) {
      this.all.push(vu);
      this.idle.push(vu);
    }
    this.adding = undefined;
  }
}
