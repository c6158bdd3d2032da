import { jobStatuses, refusal, type JobRecord, type JobStatus, type SpecProblem } from '@mooring/domain';
import { queryValue, readListQuery, readTags, type ListQuery, type Query } from './listing.ts';

/** Query of a listing of jobs, which come newest first. */
export interface JobQuery {
  top: number;
  /** Where the page begins: what the one before said. */
  token: string;
  wanted: (job: JobRecord) => boolean;
}

const tokenCharactersMax = 200;

/**
 * Reads `$top`/`count`, `$skipToken`, `listViewType`, `jobType`, `tag`/`tags` (azureml-contract 3.3) and our own `status`; throws with
 * every one that is wrong. Batch jobs are of type Pipeline and are never archived.
 */
export function readJobQuery(query: Query): JobQuery {
  const { top, skip, orderBy, view, tags } = readListQuery(query);
  const problems: SpecProblem[] = [];
  const note = (path: string, value: unknown, expected: string): void =>
    void problems.push({ path, problem: `'${String(value).slice(0, 60)}' is not allowed`, expected });
  if (skip > 0) note('$skip', skip, "the address in nextLink: a job's place changes while others are made");
  if (orderBy !== undefined && !(orderBy.field === 'createdAt' && orderBy.descending)) {
    note('$orderBy', queryValue(query, '$orderBy'), "'createdtime desc': jobs are listed newest first");
  }
  const token = textOf(query, '$skipToken', note).slice(0, tokenCharactersMax);
  const jobType = textOf(query, 'jobType', note).toLowerCase();
  const tag = readTags(textOf(query, 'tag', note));
  const states = statusesOf(textOf(query, 'status', note), note);
  if (problems.length > 0) throw refusal('query', problems);
  const none = view === 'ArchivedOnly' || (jobType !== '' && jobType !== 'pipeline');
  const wanted = (job: JobRecord): boolean =>
    !none && (states.size === 0 || states.has(job.status)) && hasAll(job, [...tags, ...tag]);
  return { top, token, wanted };
}

type Note = (path: string, value: unknown, expected: string) => void;

function textOf(query: Query, name: string, note: Note): string {
  const value = queryValue(query, name) ?? '';
  if (typeof value === 'string') return value;
  note(name, value, 'one text');
  return '';
}

function statusesOf(text: string, note: Note): ReadonlySet<JobStatus> {
  const words = text.split(',').map((word) => word.trim());
  const found = words
    .filter((word) => word !== '')
    .slice(0, 50)
    .map((word) => {
      const status = jobStatuses.find((known) => known.toLowerCase() === word.toLowerCase());
      if (status === undefined) note('status', word, `some of: ${jobStatuses.join(', ')}`);
      return status;
    });
  return new Set(found.filter((status) => status !== undefined));
}

function hasAll({ tags }: JobRecord, wanted: ListQuery['tags']): boolean {
  // It is a tag of every batch job that is shown.
  const shown: Readonly<Record<string, string>> = { ...tags, 'azureml.batchrun': 'true' };
  return wanted.every(({ key, value }) => Object.hasOwn(shown, key) && (value === undefined || shown[key] === value));
}
