import type { FieldProblem } from '@mooring/errors';

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
}

interface Rule {
  property: string;
  fallback: number | undefined;
  smallest: number;
  largest: number;
  whole: boolean;
}

const rules: Readonly<Record<Exclude<keyof MooringSettings, 'mirrorIgnore'>, Rule>> = {
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
  mirrorTolerance: { property: 'mooring.mirror.tolerance', fallback: 1e-4, smallest: 0, largest: 1e9, whole: false },
};

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
  const known = new Set([ignoreProperty]);
  for (const [field, rule] of Object.entries(rules)) {
    known.add(rule.property);
    const text = properties[rule.property];
    settings[field] = rule.fallback;
    if (text === undefined) continue;
    const value = text.trim() === '' ? Number.NaN : Number(text);
    if (
      !Number.isFinite(value) ||
      value < rule.smallest ||
      value > rule.largest ||
      (rule.whole && !Number.isInteger(value))
    ) {
      problems.push({
        path: `properties.${rule.property}`,
        problem: `'${shown(text)}' is not allowed`,
        expected: `a ${rule.whole ? 'whole ' : ''}number from ${rule.smallest} to ${rule.largest}`,
      });
    } else settings[field] = value;
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
  return { settings: { ...settings, mirrorIgnore } as unknown as MooringSettings, problems };
}

/** For a message: short, and without the characters that would write to the terminal that shows it. */
function shown(text: string): string {
  const clean = text.replace(/\p{Cc}/gu, '?');
  return clean.length > 80 ? `${clean.slice(0, 77)}...` : clean;
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
