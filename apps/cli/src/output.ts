import { PlatformError } from '@mooring/errors';
import { tableOf, tsvOf } from './table.ts';

export interface OutputOptions {
  output: string;
  query: string | undefined;
  /** Fields of a table, in order; the scalar ones where absent. */
  fields?: readonly string[] | undefined;
}

/** `value` in the asked format, the query applied first. Throws PlatformError BAD_QUERY for a query that is no JMESPath. */
export async function formatted(value: unknown, { output, query, fields }: OutputOptions): Promise<string> {
  const result = query === undefined ? value : await queried(value, query);
  if (output === 'table') return tableOf(result, query === undefined ? fields : undefined);
  if (output === 'tsv') return tsvOf(result);
  if (output === 'yaml') {
    const { stringify } = await import('yaml');
    return stringify(result).trimEnd();
  }
  return JSON.stringify(result ?? null, undefined, 2);
}

/** Throws PlatformError BAD_QUERY. To be asked before a command runs: it must not change something and then fail. */
export async function checkQuery(query: string): Promise<void> {
  const { compile } = (await import('jmespath')) as unknown as { compile(expression: string): unknown };
  try {
    if (query.length > queryLengthMax) throw new RangeError(`it has more than ${queryLengthMax} characters`);
    compile(query);
  } catch (thrown) {
    throw badQuery(thrown);
  }
}

/** Longer ones end the parser's stack. */
const queryLengthMax = 4096;

async function queried(value: unknown, query: string): Promise<unknown> {
  const { search } = await import('jmespath');
  try {
    return search(value, query) as unknown;
  } catch (thrown) {
    throw badQuery(thrown);
  }
}

function badQuery(thrown: unknown): PlatformError {
  const why = (thrown as Error).message.split('\n')[0] ?? '';
  return new PlatformError('invalid_argument', 'BAD_QUERY', 'the query cannot be applied', {
    problems: [{ path: '--query', problem: why, expected: 'JMESPath, such as [0].name or traffic.martina' }],
    cause: thrown,
  });
}
