/**
 * When an instance is taken out of rotation, and for how long.
 *
 * The rule: `afterFailures` calls in a row whose connection was lost, or that ran into the deployment's own timeout (a
 * caller's shorter deadline says nothing about the instance), eject it for `baseMs`, twice as long each further time up to
 * `maxMs`. The last instance that is in rotation is never ejected: a bad answer is better than none. A call that succeeds
 * ends the row; a whole `maxMs` without an ejection forgets the earlier ones.
 */
export interface EjectionRule {
  afterFailures: number;
  baseMs: number;
  maxMs: number;
}

export interface Health {
  failuresInARow: number;
  ejections: number;
  /** On the router's clock; 0 = in rotation. */
  ejectedUntilMs: number;
}

export function healthy(): Health {
  return { failuresInARow: 0, ejections: 0, ejectedUntilMs: 0 };
}

export function isEjected(health: Health, nowMs: number): boolean {
  return nowMs < health.ejectedUntilMs;
}

/** Notes an answer. */
export function noteSuccess(health: Health): void {
  health.failuresInARow = 0;
}

/** Notes a lost call. True when it ejects the instance; `othersInRotation` = instances that could take its calls. */
export function noteFailure(health: Health, rule: EjectionRule, nowMs: number, othersInRotation: number): boolean {
  health.failuresInARow += 1;
  if (health.failuresInARow < rule.afterFailures || othersInRotation === 0 || isEjected(health, nowMs)) return false;
  if (nowMs - health.ejectedUntilMs > rule.maxMs) health.ejections = 0;
  health.ejectedUntilMs = nowMs + Math.min(rule.baseMs * 2 ** health.ejections, rule.maxMs);
  health.ejections = Math.min(health.ejections + 1, 30);
  health.failuresInARow = 0;
  return true;
}
