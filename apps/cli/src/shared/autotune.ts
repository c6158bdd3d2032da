import { parseDocument } from 'yaml';

/** One way to run a deployment's model. */
export interface Tuning {
  threads: number;
  batchMaxRows: number;
  batchMaxDelayUs: number;
}

/** What a load found of it. */
export interface Measured extends Tuning {
  placement: string;
  requestsPerS: number;
  p50Ms: number;
  p99Ms: number;
  failed: number;
}

/** A gain below this may be noise, and is not worth threads, rows or a wait. */
const gainMin = 1.03;
const rowsTried = [1, 8, 32];
const delaysTried = [0, 500, 2_000];

/**
 * Finds a good tuning by changing one thing after the other: threads first, then rows, then the wait for them. Every
 * combination would take three times as long, and each thing is best looked at once the one before it is settled.
 */
export async function sweep(
  cores: number,
  measure: (tuning: Tuning) => Promise<Measured>,
): Promise<{ best: Measured; table: Measured[] }> {
  const table: Measured[] = [];
  const measured = async (tuning: Tuning): Promise<Measured> => {
    const row = await measure(tuning);
    table.push(row);
    return row;
  };
  let best = await measured({ threads: 1, batchMaxRows: 1, batchMaxDelayUs: 0 });
  const consider = async (change: Partial<Tuning>): Promise<void> => {
    const { threads, batchMaxRows, batchMaxDelayUs } = best;
    const row = await measured({ threads, batchMaxRows, batchMaxDelayUs, ...change });
    if (isBetter(row, best)) best = row;
  };
  for (const threads of threadsTried(cores)) await consider({ threads });
  for (const batchMaxRows of rowsTried.slice(1)) await consider({ batchMaxRows });
  if (best.batchMaxRows > 1) for (const batchMaxDelayUs of delaysTried.slice(1)) await consider({ batchMaxDelayUs });
  return { best, table };
}

/** Beyond one: half of the cores, and all. */
export function threadsTried(cores: number): number[] {
  return [...new Set([Math.ceil(cores / 2), cores])].filter((threads) => threads > 1);
}

function isBetter(row: Measured, best: Measured): boolean {
  if (row.failed > 0) return false;
  return best.failed > 0 || row.requestsPerS > best.requestsPerS * gainMin;
}

/** As the deployment's properties. */
export function propertiesOf({ threads, batchMaxRows, batchMaxDelayUs }: Tuning): Record<string, string> {
  return {
    'mooring.threads': String(threads),
    'mooring.batch.max-rows': String(batchMaxRows),
    'mooring.batch.max-delay-us': String(batchMaxDelayUs),
  };
}

/** The YAML text with these properties set; everything else, comments too, stays as it was written. */
export function withProperties(text: string, properties: Readonly<Record<string, string>>): string {
  const document = parseDocument(text);
  for (const [name, value] of Object.entries(properties)) {
    if (document.has('properties')) document.setIn(['properties', name], value);
    else document.set('properties', document.createNode({ [name]: value }));
  }
  return document.toString({ lineWidth: 0 });
}
