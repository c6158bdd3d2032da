import { readFile } from 'node:fs/promises';

/** Linux's page size on the machines that Node runs on; larger ones make the limit a little looser. */
const pageBytes = 4_096;
const lookMs = 250;

/**
 * Calls `onOver` once when the process holds more than `limitMib`; looks four times a second, and never where there is no /proc.
 * Returns what ends it.
 */
export function watchMemory(pid: number, limitMib: number, onOver: (mib: number) => void): () => void {
  const look = async (): Promise<void> => {
    const mib = await residentMib(pid).catch(() => Number.NaN);
    if (mib <= limitMib) return;
    clearInterval(timer);
    if (mib > limitMib) onOver(mib);
  };
  const timer = setInterval(() => void look(), lookMs);
  timer.unref();
  return () => clearInterval(timer);
}

async function residentMib(pid: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/statm`, 'latin1');
  return (Number(text.split(' ')[1]) * pageBytes) / 2 ** 20;
}
