import type { FieldProblem } from '@mooring/errors';
import { readNumberSetting, shownSetting as shown, type NumberRule } from './number-setting.ts';

/**
 * What Azure's YAML has no field for, set by a deployment's `properties` that begin with `mooring.`.
 * All values are strings there; this is them read, checked and with defaults.
 */
export interface MooringSettings {
  /** Rows in one model run; 1 turns batching off. `mooring.batch.max-rows` */
  batchMaxRows: number;
  /** How long the first request of a batch waits for others. `mooring.batch.max-delay-us` */
  batchMaxDelayUs: number;
  /** Largest request body after decompression. `mooring.max-request-bytes` */
  maxRequestBytes: number;
  /** Largest answer. `mooring.max-response-bytes` */
  maxResponseBytes: number;
  /** CPU cores and memory of one instance; the instance type's own where absent. `mooring.cpu`, `mooring.memory-mib` */
  cpu: number | undefined;
  memoryMib: number | undefined;
  /** Largest difference the mirror comparison calls equal enough. `mooring.mirror.tolerance` */
  mirrorTolerance: number;
  /** JSON paths that the mirror comparison leaves out, such as `model`: comma separated. `mooring.mirror.ignore` */
  mirrorIgnore?: readonly string[];
  /** Where the model runs; chosen by measurement when absent or `auto`. `mooring.placement` */
  placement?: Placement;
  /** Model runs that one instance may have at once, each on a thread of its own; its cores when absent. `mooring.threads` */
  threads?: number;
  /** The user set how requests share runs, so that nothing else may decide it. */
  batchSet?: boolean;
  /** How long an answer is given to further identical requests; none is kept when absent. `mooring.response-cache-ttl-ms` */
  responseCacheTtlMs?: number | undefined;
  /** What the kept answers may take, in each data-plane process. `mooring.response-cache-bytes-max` */
  responseCacheBytesMax?: number | undefined;
  /** Identical requests that are in flight at once share one run. `mooring.single-flight` */
  singleFlight?: boolean;
}

/** What `mooring.placement` takes. */
export type Placement = 'auto' | 'inline' | 'threads' | 'process';
const placements: readonly string[] = ['auto', 'inline', 'threads', 'process'];

type NumberField = Exclude<keyof MooringSettings, 'mirrorIgnore' | 'placement' | 'batchSet' | 'singleFlight'>;

const rules: Readonly<Record<NumberField, NumberRule>> = {
  batchMaxRows: { property: 'mooring.batch.max-rows', fallback: 1, smallest: 1, largest: 65_536, whole: true },
  batchMaxDelayUs: {
    property: 'mooring.batch.max-delay-us',
    fallback: 0,
    smallest: 0,
    largest: 1_000_000,
    whole: true,
  },
  maxRequestBytes: {
    property: 'mooring.max-request-bytes',
    fallback: 64 * 2 ** 20,
    smallest: 1024,
    largest: 2 ** 30,
    whole: true,
  },
  maxResponseBytes: {
    property: 'mooring.max-response-bytes',
    fallback: 64 * 2 ** 20,
    smallest: 1024,
    largest: 2 ** 30,
    whole: true,
  },
  cpu: { property: 'mooring.cpu', fallback: undefined, smallest: 0.05, largest: 1024, whole: false },
  memoryMib: { property: 'mooring.memory-mib', fallback: undefined, smallest: 64, largest: 2 ** 24, whole: true },
  threads: { property: 'mooring.threads', fallback: undefined, smallest: 1, largest: 256, whole: true },
  mirrorTolerance: { property: 'mooring.mirror.tolerance', fallback: 1e-4, smallest: 0, largest: 1e9, whole: false },
  responseCacheTtlMs: {
    property: 'mooring.response-cache-ttl-ms',
    fallback: undefined,
    smallest: 1,
    largest: 86_400_000,
    whole: true,
  },
  responseCacheBytesMax: {
    property: 'mooring.response-cache-bytes-max',
    fallback: undefined,
    smallest: 4096,
    largest: 2 ** 32,
    whole: true,
  },
};

const placementProperty = 'mooring.placement';
const singleFlightProperty = 'mooring.single-flight';
const ignoreProperty = 'mooring.mirror.ignore';
const ignorePath = /^[A-Za-z_][\w-]*(\.[A-Za-z_][\w-]*)*$/;
const ignorePathsMax = 32;

/** Reads the settings; every property that is unknown or out of range is a problem. */
export function readMooringSettings(properties: Readonly<Record<string, string>>): {
  settings: MooringSettings;
  problems: FieldProblem[];
} {
  const problems: FieldProblem[] = [];
  const settings: Record<string, number | undefined> = {};
  const known = new Set([placementProperty, ignoreProperty, singleFlightProperty]);
  for (const [field, rule] of Object.entries(rules)) {
    known.add(rule.property);
    settings[field] = readNumberSetting(properties, rule, problems);
  }
  for (const property of Object.keys(properties)) {
    if (property.startsWith('mooring.') && !known.has(property)) {
      problems.push({
        path: `properties.${shown(property)}`,
        problem: 'is not a setting',
        expected: `one of: ${[...known].join(', ')}`,
      });
    }
  }
  const mirrorIgnore = readIgnoredPaths(properties[ignoreProperty], problems);
  const others = {
    mirrorIgnore,
    ...readPlacement(properties[placementProperty], problems),
    ...batchSet(properties),
    ...readSingleFlight(properties[singleFlightProperty], problems),
  };
  refuseBytesAlone(properties, problems);
  return { settings: { ...settings, ...others } as unknown as MooringSettings, problems };
}

function readPlacement(text: string | undefined, problems: FieldProblem[]): { placement?: Placement } {
  if (text === undefined) return {};
  if (placements.includes(text)) return { placement: text as Placement };
  problems.push({
    path: `properties.${placementProperty}`,
    problem: `'${shown(text)}' is not allowed`,
    expected: `one of: ${placements.join(', ')}`,
  });
  return {};
}

function readSingleFlight(text: string | undefined, problems: FieldProblem[]): { singleFlight?: boolean } {
  if (text === undefined || text === 'false') return {};
  if (text === 'true') return { singleFlight: true };
  const problem = `'${shown(text)}' is not allowed`;
  problems.push({ path: `properties.${singleFlightProperty}`, problem, expected: 'true or false' });
  return {};
}

/** A limit of what is never kept is the sign of a setting that was forgotten. */
function refuseBytesAlone(properties: Readonly<Record<string, string>>, problems: FieldProblem[]): void {
  const [ttl, bytes] = [rules.responseCacheTtlMs.property, rules.responseCacheBytesMax.property];
  if (properties[bytes] === undefined || properties[ttl] !== undefined) return;
  problems.push({
    path: `properties.${bytes}`,
    problem: 'has no effect alone: no answer is kept',
    expected: `${ttl} beside it`,
  });
}

/** Absent rather than false: what a deployment does not say must not change its digest. */
function batchSet(properties: Readonly<Record<string, string>>): { batchSet?: true } {
  const asked = [rules.batchMaxRows, rules.batchMaxDelayUs].some(({ property }) => properties[property] !== undefined);
  return asked ? { batchSet: true } : {};
}

function readIgnoredPaths(text: string | undefined, problems: FieldProblem[]): string[] {
  const paths = (text ?? '')
    .split(',')
    .map((path) => path.trim())
    .filter((path) => path !== '');
  const wrong = paths.filter((path) => !ignorePath.test(path));
  if (wrong.length === 0 && paths.length <= ignorePathsMax) return paths;
  problems.push({
    path: `properties.${ignoreProperty}`,
    problem: wrong.length > 0 ? `'${shown(wrong.join("', '"))}' is not a path` : `names ${paths.length} paths`,
    expected: `at most ${ignorePathsMax} names with dots between them, separated by commas: model, detail.took_ms`,
  });
  return [];
}
