/** Part of a plan: from the value before, evenly to `target` within `durationMs`. */
export interface Stage {
  readonly durationMs: number;
  readonly target: number;
}

// Rounding must not lose the last arrival of a stage.
const rounding = 1e-9;

/** When iterations shall start, in milliseconds from the scenario's start: the first at once, the rest evenly. */
export function* constantArrivals(rate: number, timeUnitMs: number, durationMs: number): Generator<number> {
  const count = Math.ceil((rate * durationMs) / timeUnitMs - rounding);
  for (let index = 0; index < count; index++) yield (index * timeUnitMs) / rate;
}

/**
 * When iterations shall start while the rate moves along the stages. The n-th starts when the area below the rate
 * reaches n, so that each stage starts as many as its mean rate promises.
 */
export function* rampingArrivals(startRate: number, timeUnitMs: number, stages: readonly Stage[]): Generator<number> {
  let stageStart = 0;
  let before = 0;
  let rate = startRate / timeUnitMs;
  let next = 1;
  for (const { durationMs, target } of stages) {
    const endRate = target / timeUnitMs;
    const until = before + ((rate + endRate) / 2) * durationMs;
    for (; next <= until + rounding; next++) yield stageStart + reaches(next - before, rate, endRate, durationMs);
    before = until;
    stageStart += durationMs;
    rate = endRate;
  }
}

/** The time at which `rate * t + (endRate - rate) / (2 * duration) * t^2` reaches `area`. */
function reaches(area: number, rate: number, endRate: number, durationMs: number): number {
  const slope = (endRate - rate) / durationMs;
  // This form of the quadratic's root needs no division by the slope, which may be 0.
  const root = Math.sqrt(Math.max(0, rate * rate + 2 * slope * area));
  return Math.min(durationMs, (2 * area) / (rate + root));
}

/** How many virtual users there shall be from `atMs` on. */
export interface VuStep {
  readonly atMs: number;
  readonly vus: number;
}

/** The changes of the number of virtual users along the stages, one user a step (several where a stage takes no time). */
export function vuSteps(startVus: number, stages: readonly Stage[]): VuStep[] {
  const steps: VuStep[] = [{ atMs: 0, vus: startVus }];
  let stageStart = 0;
  let vus = startVus;
  for (const { durationMs, target } of stages) {
    const changes = Math.abs(target - vus);
    if (durationMs === 0 && changes > 0) steps.push({ atMs: stageStart, vus: target });
    for (let change = 1; durationMs > 0 && change <= changes; change++) {
      steps.push({ atMs: stageStart + (durationMs * change) / changes, vus: vus + Math.sign(target - vus) * change });
    }
    vus = target;
    stageStart += durationMs;
  }
  return steps;
}

export function totalMs(stages: readonly Stage[]): number {
  return stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
}
