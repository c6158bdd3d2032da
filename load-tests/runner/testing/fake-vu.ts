import type { Clock } from '../clock.ts';
import type { Vu } from '../executors/index.ts';

export interface Started {
  vu: number;
  intendedMs: number;
  atMs: number;
}

/** A virtual user whose iterations take a known time. */
export class FakeVu implements Vu {
  interruptions = 0;
  completed = 0;
  private running: AbortController | undefined;
  private readonly id: number;
  private readonly clock: Clock;
  private readonly takesMs: number;
  private readonly started: Started[];

  constructor(id: number, clock: Clock, takesMs: number, started: Started[]) {
    this.id = id;
    this.clock = clock;
    this.takesMs = takesMs;
    this.started = started;
  }

  async iterate(intendedMs: number): Promise<void> {
    if (this.running !== undefined) throw new Error('one iteration at a time');
    this.started.push({ vu: this.id, intendedMs, atMs: this.clock.now() });
    this.running = new AbortController();
    const { signal } = this.running;
    await this.clock.wait(this.takesMs, signal);
    if (!signal.aborted) this.completed += 1;
    this.running = undefined;
  }

  interrupt(): void {
    if (this.running === undefined) return;
    this.interruptions += 1;
    this.running.abort();
  }
}
