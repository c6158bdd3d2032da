import { PlatformError, type FieldProblem } from '@mooring/errors';
import type { ModelVersionSpec, Stored } from '@mooring/domain';

/** Query of a listing (azureml-contract 3.1, 3.3). */
export interface ListQuery {
  top: number;
  skip: number;
  orderBy: { field: 'createdAt' | 'name'; descending: boolean } | undefined;
  view: 'ActiveOnly' | 'ArchivedOnly' | 'All';
  tags: readonly { key: string; value: string | undefined }[];
}

export type Query = Readonly<Record<string, unknown>>;

const topMax = 1000;
const views = ['ActiveOnly', 'ArchivedOnly', 'All'] as const;

/** Reads `$top`/`count`, `$skip`, `$orderBy`, `listViewType` and `tags`; throws with every one that is wrong. */
export function readListQuery(query: Query): ListQuery {
  const problems: FieldProblem[] = [];
  const note = (path: string, value: unknown, expected: string): void => {
    problems.push({ path, problem: `'${String(value).slice(0, 60)}' is not allowed`, expected });
  };
  const whole = (name: string, smallest: number, largest: number, fallback: number): number => {
    const value = queryValue(query, name);
    if (value === undefined || value === '') return fallback;
    const number = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= smallest && number <= largest) return number;
    note(name, value, `a whole number from ${smallest} to ${largest}`);
    return fallback;
  };
  const top = whole('$top', 1, topMax, whole('count', 1, topMax, 100));
  const skip = whole('$skip', 0, 999_999_999, 0);
  const viewText = queryValue(query, 'listViewType') ?? 'ActiveOnly';
  const view = views.find((word) => word.toLowerCase() === String(viewText).toLowerCase());
  if (view === undefined) note('listViewType', viewText, `one of: ${views.join(', ')}`);
  const orderText = queryValue(query, '$orderBy') ?? queryValue(query, 'orderBy');
  const orderBy = orderText === undefined ? undefined : readOrder(orderText);
  if (orderText !== undefined && orderBy === undefined)
    note('$orderBy', orderText, "'createdtime' or 'name', then 'asc' or 'desc'");
  const tagText = queryValue(query, 'tags') ?? '';
  if (typeof tagText !== 'string') note('tags', tagText, 'one text: key=value,key');
  if (problems.length > 0) throw PlatformError.invalid('query', problems);
  return { top, skip, orderBy, view: view ?? 'ActiveOnly', tags: readTags(String(tagText)) };
}

/** Names of query parameters count without regard to case, as ARM's do. */
export function queryValue(query: Query, name: string): unknown {
  const key = Object.keys(query).find((known) => known.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : query[key];
}

function readOrder(text: unknown): ListQuery['orderBy'] {
  const [, field = '', direction = ''] =
    /^\s*(\w+)(?:\s+(asc|desc))?\s*$/i.exec(typeof text === 'string' ? text.slice(0, 100) : '') ?? [];
  const word = field.toLowerCase();
  const known = ['createdtime', 'createdat', 'createdatasc', 'createdatdesc', 'updatedatasc', 'updatedatdesc', 'name'];
  if (!known.includes(word)) return undefined;
  const descending = direction.toLowerCase() === 'desc' || word.endsWith('desc');
  return { field: word === 'name' ? 'name' : 'createdAt', descending };
}

export function readTags(text: string): ListQuery['tags'] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .slice(0, 50)
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0 ? { key: part, value: undefined } : { key: part.slice(0, at), value: part.slice(at + 1) };
    });
}

export interface Page<T> {
  page: T[];
  /** Where the next page begins; undefined when this is the last. */
  nextSkip: number | undefined;
}

/** Filters, orders and cuts. */
export function selectPage(resources: readonly Stored[], query: ListQuery): Page<Stored> {
  const kept = resources.filter((resource) => isInView(resource, query.view) && hasTags(resource, query.tags));
  return cutPage(query.orderBy === undefined ? kept : kept.toSorted(comparison(query.orderBy)), query);
}

export function cutPage<T>(items: readonly T[], { skip, top }: Pick<ListQuery, 'skip' | 'top'>): Page<T> {
  const end = skip + top;
  return { page: items.slice(skip, end), nextSkip: end < items.length ? end : undefined };
}

function isInView(resource: Stored, view: ListQuery['view']): boolean {
  const archived = (resource.spec as Partial<ModelVersionSpec>).isArchived === true;
  return view === 'All' || archived === (view === 'ArchivedOnly');
}

function hasTags({ spec }: Stored, tags: ListQuery['tags']): boolean {
  return tags.every(
    ({ key, value }) => Object.hasOwn(spec.tags, key) && (value === undefined || spec.tags[key] === value),
  );
}

function comparison({ field, descending }: NonNullable<ListQuery['orderBy']>): (a: Stored, b: Stored) => number {
  const sign = descending ? -1 : 1;
  const text = field === 'name' ? (r: Stored): string => r.key : (r: Stored): string => r.system.createdAt;
  return (a, b) => sign * (compare(text(a), text(b)) || compareVersions(versionOf(a), versionOf(b)));
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Numbers by value, before other versions, which go by text. */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [a, b].map((text) => (/^\d{1,15}$/.test(text) ? Number(text) : undefined));
  if (x !== undefined && y !== undefined) return x - y;
  if (x !== undefined) return -1;
  return y === undefined ? compare(a, b) : 1;
}

export function versionOf({ key }: Stored): string {
  return key.slice(key.indexOf('/') + 1);
}

/** The newest version that is not archived; of those made at the same instant the highest. */
export function newestOf<S extends Stored>(versions: readonly S[]): S | undefined {
  const order = comparison({ field: 'createdAt', descending: true });
  return versions.filter((version) => isInView(version, 'ActiveOnly')).toSorted(order)[0];
}

/** The version that a client should take for a new one: one above the highest number. */
export function nextVersionAfter(versions: readonly Stored[]): string {
  const numbers = versions.map(versionOf).filter((version) => /^\d{1,15}$/.test(version));
  return String(numbers.reduce((highest, version) => Math.max(highest, Number(version)), 0) + 1);
}
