import { formatDuration } from '../duration.ts';
import type { ScenarioOf } from '../options.ts';
import { endInTime, type Executor, type ExecutorHost, type Vu } from './executor.ts';
import { totalMs, vuSteps } from './schedule.ts';

/** As many looping virtual users as the stages say at every moment. */
export function rampingVus(scenario: ScenarioOf<'ramping-vus'>, host: ExecutorHost): Executor {
  const { startVUs, stages, gracefulStop, gracefulRampDown } = scenario;
  const steps = vuSteps(startVUs, stages);
  const maxVus = Math.max(...steps.map((step) => step.vus));
  const durationMs = totalMs(stages);
  return {
    initialVus: maxVus,
    maxVus,
    durationMs,
    about: `Up to ${maxVus} looping VUs for ${formatDuration(durationMs)} over ${stages.length} stages`,
    async run(vus) {
      const seats = vus.map((vu) => new Seat(vu, gracefulRampDown, host));
      const startedAt = host.clock.now();
      for (const step of [...steps, { atMs: durationMs, vus: undefined }]) {
        await host.clock.wait(startedAt + step.atMs - host.clock.now(), host.stop);
        if (host.stop.aborted || step.vus === undefined) break;
        for (const [index, seat] of seats.entries()) seat.occupy(index < step.vus);
      }
      for (const seat of seats) seat.close();
      await endInTime(Promise.all(seats.map((seat) => seat.left)), vus, gracefulStop, host);
    },
  };
}

/** A place for one virtual user: taken while the ramp is above it. */
class Seat {
  /** Resolves when the loop that began last has ended. */
  left: Promise<void> = Promise.resolve();
  private taken = false;
  private leaving = new AbortController();

  private readonly vu: Vu;
  private readonly gracefulRampDownMs: number;
  private readonly host: ExecutorHost;

  constructor(vu: Vu, gracefulRampDownMs: number, host: ExecutorHost) {
    this.vu = vu;
    this.gracefulRampDownMs = gracefulRampDownMs;
    this.host = host;
  }

  occupy(taken: boolean): void {
    if (taken === this.taken) return;
    this.taken = taken;
    if (taken) {
      this.leaving.abort();
      this.left = this.left.then(() => this.loop());
    } else void this.interruptLater();
  }

  /** No new iterations; how long the last may take is the scenario's gracefulStop then. */
  close(): void {
    this.taken = false;
    this.leaving.abort();
  }

  private async loop(): Promise<void> {
    while (this.taken && !this.host.stop.aborted) {
      await this.vu.iterate(this.host.clock.now());
      await this.host.clock.turn();
    }
  }

  private async interruptLater(): Promise<void> {
    this.leaving = new AbortController();
    const { signal } = this.leaving;
    await Promise.race([this.host.clock.wait(this.gracefulRampDownMs, signal), this.left]);
    if (!signal.aborted && !this.taken) this.vu.interrupt();
  }
}
