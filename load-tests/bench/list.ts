import { textTable } from './report/table.ts';
import { catalogue } from './systems/catalogue.ts';
import { workloads } from './workloads/workloads.ts';

/** What --only and --systems take. */
export function listText(): string {
  const systems = textTable(
    ['system', ''],
    catalogue.map(({ name, about }) => [name, about]),
  );
  const kinds = textTable(
    ['workload', ''],
    workloads.map(({ name, about }) => [name, about]),
  );
  return `${kinds}\n${systems}`;
}
