import type { JobVerification } from '@mooring/domain';

const wordsMax = 100;

/** Nothing was looked at yet. */
export function newVerification(job: string, items: JobVerification['items']): JobVerification {
  const counts = { miniBatches: 0, missing: 0, twice: 0, filesRead: 0, bytesRead: 0 };
  return { job, ok: false, items, ...counts, problems: [], notes: [] };
}

export function addProblem({ problems }: JobVerification, words: string): void {
  if (problems.length < wordsMax) problems.push(words);
}

export function addNote({ notes }: JobVerification, words: string): void {
  if (notes.length < wordsMax) notes.push(words);
}

/** With everything looked at. */
export function concluded(report: JobVerification): JobVerification {
  return { ...report, ok: report.problems.length === 0 };
}
