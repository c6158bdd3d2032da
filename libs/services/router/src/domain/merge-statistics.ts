import { ModelStatisticsResponse, type ModelStatistics } from '@mooring/contracts/inference';
import { Protocol } from '@mooring/contracts/scoring';

/**
 * Statistics of several instances as one answer: counts and times add up, `last_inference` is the latest, batch sizes are
 * matched. Entries are matched by name and version, so answers of several deployments stay apart.
 */
export function mergeStatistics(protocol: Protocol, bodies: readonly Buffer[]): Buffer {
  if (protocol !== Protocol.PROTOCOL_OIP_GRPC) return mergeJson(bodies);
  const messages = bodies.map((body) => ModelStatisticsResponse.decode(body));
  const entries = messages.flatMap((message) => message.modelStats) as unknown as Entry[];
  const merged = mergeEntries(entries, 'lastInference', 'batchSize') as unknown as ModelStatistics[];
  return Buffer.from(ModelStatisticsResponse.encode({ modelStats: merged }).finish());
}

function mergeJson(bodies: readonly Buffer[]): Buffer {
  const entries = bodies.flatMap((body) => {
    const answer = JSON.parse(body.toString('utf8')) as { model_stats?: Entry[] };
    return answer.model_stats ?? [];
  });
  return Buffer.from(JSON.stringify({ model_stats: mergeEntries(entries, 'last_inference', 'batch_size') }));
}

type Entry = Record<string, unknown>;

function mergeEntries(entries: readonly Entry[], latest: string, batchSize: string): Entry[] {
  const merged = new Map<string, Entry>();
  for (const entry of entries) {
    const key = JSON.stringify([entry['name'], entry['version']]);
    const other = merged.get(key);
    merged.set(key, other === undefined ? entry : (add(other, entry, latest, batchSize) as Entry));
  }
  return [...merged.values()];
}

/** Adds numbers leaf by leaf; where only one side has a value, it stays. Names stay as they are. */
function add(left: unknown, right: unknown, latest: string, batchSize: string): unknown {
  if (left === undefined) return right;
  if (right === undefined) return left;
  if (typeof left === 'number' && typeof right === 'number') return left + right;
  if (Array.isArray(left) && Array.isArray(right))
    return addBatches(left as Entry[], right as Entry[], latest, batchSize);
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return left;
  const sum: Entry = { ...(left as Entry) };
  for (const [key, value] of Object.entries(right as Entry)) {
    if (key === latest) sum[key] = Math.max(Number(sum[key] ?? 0), Number(value));
    else if (key !== batchSize) sum[key] = add(sum[key], value, latest, batchSize);
  }
  return sum;
}

function addBatches(left: readonly Entry[], right: readonly Entry[], latest: string, batchSize: string): Entry[] {
  const bySize = new Map(left.map((batch) => [Number(batch[batchSize]), batch]));
  for (const batch of right) {
    const size = Number(batch[batchSize]);
    bySize.set(size, add(bySize.get(size), batch, latest, batchSize) as Entry);
  }
  return [...bySize.values()].toSorted((a, b) => Number(a[batchSize]) - Number(b[batchSize]));
}
