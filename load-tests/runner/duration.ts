const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1, us: 0.001 };

/** Milliseconds of `1h2m3.5s`, `500ms` or a plain number (which is milliseconds, as in k6). */
export function parseDuration(given: string | number): number {
  if (typeof given === 'number' || /^\d+(\.\d+)?$/.test(given)) {
    const ms = Number(given);
    if (Number.isFinite(ms) && ms >= 0) return ms;
  } else if (/^(\d+(\.\d+)?(ms|us|d|h|m|s))+$/.test(given)) {
    let ms = 0;
    for (const [, amount, unit] of given.matchAll(/(\d+(?:\.\d+)?)(ms|us|d|h|m|s)/g)) {
      ms += Number(amount) * (unitMs[unit ?? ''] ?? Number.NaN);
    }
    return ms;
  }
  throw new RangeError(`'${given}' is not a duration; write for example 500ms, 30s or 1m30s`);
}

/** `1m30s`, `10s`, `500ms`: as people write it. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.round(ms / 100) / 10;
  const hours = Math.floor(seconds / 3_600);
  const minutes = Math.floor((seconds % 3_600) / 60);
  const rest = Math.round((seconds % 60) * 10) / 10;
  return `${hours > 0 ? `${hours}h` : ''}${hours + minutes > 0 ? `${minutes}m` : ''}${rest}s`;
}
