import type { JobVerification } from '@mooring/sdk';

/** What was found when a job's output was read again, in words. */
export function verificationText(found: JobVerification): string {
  const { items, miniBatches, filesRead, bytesRead } = found;
  const lines = [
    found.ok ? `${found.job}: proven` : `${found.job}: NOT proven`,
    `  ${plural(items.in, 'item', 'items')} in = ${items.succeeded} succeeded + ${items.failed} failed + ${items.skipped} skipped`,
    `  ${found.missing} missing, ${found.twice} twice`,
    `  read: ${plural(miniBatches, 'mini-batch', 'mini-batches')}, ${plural(filesRead, 'file', 'files')}, ${bytesRead} bytes`,
  ];
  const notes = found.notes.map((note) => `  note: ${note}`);
  return [...lines, ...found.problems.map((problem) => `  wrong: ${problem}`), ...notes].join('\n');
}

/** With the field names of everything else that is printed. */
export function verificationShape(found: JobVerification): Record<string, unknown> {
  const { miniBatches, filesRead, bytesRead, problems, ...rest } = found;
  return { ...rest, mini_batches: miniBatches, files_read: filesRead, bytes_read: bytesRead, problems };
}

function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
