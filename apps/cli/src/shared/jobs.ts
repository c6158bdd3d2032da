import type { ArmResource } from '@mooring/sdk';
import type { TextFlag, TextRule, WholeFlag } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { tableOf } from '../table.ts';

/** What the commands of jobs share. */

export const jobRule: TextRule = {
  test: (name) => /^[a-zA-Z0-9][-a-zA-Z0-9_.]{0,63}$/.test(name),
  expected: 'at most 64 letters, digits, dashes, underscores and dots, beginning with a letter or digit',
};

/** A job that is there: it may be a step of a pipeline's, which callers cannot make themselves. */
const foundJobRule: TextRule = {
  test: (name) => /^[a-zA-Z0-9][-a-zA-Z0-9_.]{0,63}(:[a-zA-Z_]\w{0,62})?$/.test(name),
  expected: `${jobRule.expected}; <job>:<step> for a step of a pipeline`,
};

export const jobFlag = {
  kind: 'text',
  names: ['--name', '-n'],
  value: 'NAME',
  about: 'name of the job, or <job>:<step> of a pipeline',
  required: true,
  rule: foundJobRule,
} as const satisfies TextFlag;

export const jobsMaxFlag = {
  kind: 'whole',
  names: ['--max-results', '-r'],
  value: 'N',
  about: 'the newest N (50)',
  smallest: 1,
  largest: 100_000,
} as const satisfies WholeFlag;

export const jobsMaxDefault = 50;

/** A job as the command line prints it; what is not known yet is absent. */
export interface JobView {
  name: string;
  status: string;
  endpoint?: string;
  deployment?: string;
  error?: { code?: string; message?: string };
  listing?: { items?: number; item_kind?: string };
  progress?: {
    succeeded?: number;
    failed?: number;
    skipped?: number;
    items_per_s?: number;
    eta_s?: number;
    queue_position?: number;
  };
  outputs?: Record<string, { path?: string }>;
  output?: { container?: string; folder?: string };
  creation_context?: { created_at?: string };
}

const endStates = new Set(['Completed', 'Failed', 'Canceled']);

export function hasEnded({ status }: JobView): boolean {
  return endStates.has(status);
}

export async function jobViewOf(body: ArmResource): Promise<JobView> {
  const { jobShapeOf } = await import('@mooring/azureml/yaml');
  const shape = jobShapeOf(body) as Partial<JobView>;
  return { ...shape, name: shape.name ?? '', status: shape.status ?? '' };
}

/** Prints jobs, newest first; as a table for people where one is asked for. */
export async function printJobs(bodies: readonly ArmResource[], context: CommandContext): Promise<void> {
  const jobs = await Promise.all(bodies.map(jobViewOf));
  await context.print(jobs, { table: () => jobsTable(jobs) });
}

/** Prints one job, all that is known of it; the table has one line. */
export async function printJob(job: JobView, context: CommandContext): Promise<void> {
  await context.print(job, { table: () => jobsTable([job]) });
}

function jobsTable(jobs: readonly JobView[]): string {
  const rows = jobs.map((job) => ({
    name: job.name,
    status: statusText(job),
    deployment: `${job.endpoint ?? ''}/${job.deployment ?? ''}`,
    items: itemsText(job),
    failed: job.progress?.failed ?? '',
    created_at: job.creation_context?.created_at,
  }));
  return tableOf(rows, ['name', 'status', 'deployment', 'items', 'failed', 'created_at']);
}

function statusText({ status, progress }: JobView): string {
  const before = progress?.queue_position ?? 0;
  return before === 0 ? status : `${status}, ${before} before it`;
}

/** `120 of 200`; empty while nobody has counted. */
export function itemsText({ listing, progress }: JobView): string {
  if (listing?.items === undefined) return '';
  return `${(progress?.succeeded ?? 0) + (progress?.failed ?? 0)} of ${listing.items}`;
}
