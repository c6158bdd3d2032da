const unitsMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };
const form = /^(\d{1,8})([HMSmun])$/;

/** `grpc-timeout` in ms; undefined when it is malformed. */
export function parseTimeout(header: string): number | undefined {
  const match = form.exec(header);
  return match === null ? undefined : Number(match[1]) * (unitsMs[match[2] ?? ''] ?? Number.NaN);
}

/** Longer timers fire at once in Node. */
const timerMaxMs = 2 ** 31 - 1;

/** Calls `expire` at `deadlineMs` (of Date.now()), however far it is. Gives what stops it. */
export function watchDeadline(deadlineMs: number, expire: () => void): () => void {
  let timer: NodeJS.Timeout;
  const arm = (): void => {
    const leftMs = deadlineMs - Date.now();
    timer = leftMs > timerMaxMs ? setTimeout(arm, timerMaxMs) : setTimeout(expire, Math.max(0, Math.ceil(leftMs)));
  };
  arm();
  return () => clearTimeout(timer);
}
