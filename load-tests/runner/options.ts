import { z } from 'zod';
import { parseDuration } from './duration.ts';
import { RunError } from './errors.ts';

const duration = z.union([z.string(), z.number()]).transform((given, context) => {
  try {
    return parseDuration(given);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
});
const count = z.number().int().min(1);
const level = z.number().int().min(0);
const tags = z.record(z.string(), z.string());
const stages = z
  .array(z.strictObject({ duration, target: level }).transform((given) => ({ durationMs: given.duration, ...given })))
  .min(1);

const common = {
  startTime: duration.default(0),
  gracefulStop: duration.default(30_000),
  exec: z.string().default('default'),
  env: tags.default({}),
  tags: tags.default({}),
};
const pool = { timeUnit: duration.default(1_000), preAllocatedVUs: level, maxVUs: level.optional() };
const finite = { vus: count.default(1), iterations: count.default(1), maxDuration: duration.default(600_000) };

const scenario = z.discriminatedUnion('executor', [
  z.strictObject({ executor: z.literal('constant-vus'), ...common, vus: count.default(1), duration }),
  z.strictObject({
    executor: z.literal('ramping-vus'),
    ...common,
    startVUs: level.default(1),
    stages,
    gracefulRampDown: duration.default(30_000),
  }),
  z.strictObject({ executor: z.literal('per-vu-iterations'), ...common, ...finite }),
  z.strictObject({ executor: z.literal('shared-iterations'), ...common, ...finite }),
  z.strictObject({ executor: z.literal('constant-arrival-rate'), ...common, ...pool, rate: count, duration }),
  z.strictObject({
    executor: z.literal('ramping-arrival-rate'),
    ...common,
    ...pool,
    startRate: level.default(0),
    stages,
  }),
]);

/** Durations are milliseconds here, whatever the script wrote. */
export type Scenario = z.infer<typeof scenario>;
export type ScenarioOf<Name extends Scenario['executor']> = Extract<Scenario, { executor: Name }>;

const threshold = z.union([
  z.string(),
  z.strictObject({
    threshold: z.string(),
    abortOnFail: z.boolean().optional(),
    delayAbortEval: z.string().optional(),
  }),
]);

const optionsSchema = z.strictObject({
  vus: count.optional(),
  duration: duration.optional(),
  iterations: count.optional(),
  stages: stages.optional(),
  scenarios: z.record(z.string(), scenario).optional(),
  thresholds: z.record(z.string(), z.array(threshold)).default({}),
  summaryTrendStats: z.array(z.string()).default(['avg', 'min', 'med', 'max', 'p(90)', 'p(95)']),
  tags: tags.default({}),
  setupTimeout: duration.default(60_000),
  teardownTimeout: duration.default(60_000),
  handleSummaryTimeout: duration.default(120_000),
  minIterationDuration: duration.default(0),
  discardResponseBodies: z.boolean().default(false),
  noConnectionReuse: z.boolean().default(false),
  insecureSkipTLSVerify: z.boolean().default(false),
  userAgent: z.string().default('mooring-load-tests'),
  throw: z.boolean().default(false),
});

type ParsedOptions = z.infer<typeof optionsSchema>;

export interface RunOptions extends Omit<ParsedOptions, 'vus' | 'duration' | 'iterations' | 'stages' | 'scenarios'> {
  scenarios: Readonly<Record<string, Scenario>>;
}

/** What the command line may set over the script's own options. */
export interface Overrides {
  vus?: number;
  duration?: string;
  iterations?: number;
  stages?: { duration: string; target: number }[];
  tags?: Record<string, string>;
  summaryTrendStats?: string[];
}

/** The script's `options` with the command line's on top: how long or how often, given there, replaces the scenarios. */
export function resolveOptions(script: unknown, overrides: Overrides = {}): RunOptions {
  const { vus, duration: given, iterations, stages: ramp, tags: extraTags, summaryTrendStats } = overrides;
  const base: Record<string, unknown> = { ...((script ?? {}) as Record<string, unknown>) };
  if (given !== undefined || iterations !== undefined || ramp !== undefined) {
    for (const name of ['duration', 'iterations', 'stages', 'scenarios']) delete base[name];
  } else if (vus !== undefined && base['scenarios'] !== undefined) {
    throw new RunError('invalidConfig', '--vus: this script has scenarios; give --duration or --iterations as well');
  }
  const parsed = optionsSchema.safeParse({
    ...base,
    ...withoutUndefined({ vus, duration: given, iterations, stages: ramp, summaryTrendStats }),
    tags: { ...(base['tags'] as Record<string, string> | undefined), ...extraTags },
  });
  if (!parsed.success) throw new RunError('invalidConfig', problemsOf(parsed.error));
  const { vus: users, duration: lasting, iterations: times, stages: shape, scenarios, ...rest } = parsed.data;
  const shortcut = shortcutScenario(users, lasting, times, shape);
  if (scenarios !== undefined && shortcut !== undefined) {
    throw new RunError('invalidConfig', 'options: give either scenarios or vus, duration, iterations and stages');
  }
  const chosen = scenarios ?? { default: scenario.parse(shortcut ?? { executor: 'per-vu-iterations' }) };
  if (Object.keys(chosen).length === 0) throw new RunError('invalidConfig', 'options: there is no scenario');
  return { ...rest, scenarios: chosen };
}

function shortcutScenario(
  vus: number | undefined,
  durationMs: number | undefined,
  iterations: number | undefined,
  ramp: readonly { durationMs: number; target: number }[] | undefined,
): unknown {
  const users = vus === undefined ? {} : { vus };
  if (ramp !== undefined) {
    const shape = ramp.map((stage) => ({ duration: stage.durationMs, target: stage.target }));
    return { executor: 'ramping-vus', startVUs: vus ?? 1, stages: shape };
  }
  if (iterations !== undefined) {
    const limit = durationMs === undefined ? {} : { maxDuration: durationMs };
    return { executor: 'shared-iterations', ...users, iterations, ...limit };
  }
  if (durationMs !== undefined) return { executor: 'constant-vus', ...users, duration: durationMs };
  return vus === undefined ? undefined : { executor: 'per-vu-iterations', ...users };
}

function problemsOf(error: z.ZodError): string {
  return error.issues
    .map((issue) => {
      const where = ['options', ...issue.path].join('.');
      if (issue.code !== 'unrecognized_keys') return `${where}: ${issue.message}`;
      return `${where}: the stand-in runner has no '${issue.keys.join("', '")}'; run this script with k6 or leave it out`;
    })
    .join('\n');
}

function withoutUndefined(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
