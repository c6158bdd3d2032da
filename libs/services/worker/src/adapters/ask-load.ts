import type { Nats } from '@mooring/messaging';
import { loadSubject, type ProcessLoad } from '@mooring/telemetry';

/** Processes answer from memory. */
const waitMs = 250;
const processesMax = 128;

/** How much of online requests each process has; whoever gives no answer in time is left out. */
export async function askLoad(nats: Nats): Promise<ProcessLoad[]> {
  const answers = await nats.collect(loadSubject, { waitMs, max: processesMax });
  return answers.flatMap(readAnswer);
}

function readAnswer(text: string): ProcessLoad[] {
  try {
    const value = JSON.parse(text) as Partial<ProcessLoad>;
    const known = typeof value.process === 'string' && Number.isFinite(value.requestSeconds);
    return known ? [value as ProcessLoad] : [];
  } catch {
    return [];
  }
}
