import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, RunError } from './errors.ts';
import type { Overrides } from './options.ts';

export const usage = `usage: load-tests/run [options] SCRIPT

Runs a k6 script with the stand-in runner. Options are k6's:
  -e, --env KEY=VALUE          a setting that the script reads from __ENV (repeatable)
  -u, --vus N                  virtual users
  -d, --duration 30s           how long; replaces the script's scenarios
  -i, --iterations N           how many; replaces the script's scenarios
  -s, --stage 30s:20           a stage of virtual users; replaces the script's scenarios (repeatable)
  -o, --out json=FILE          every sample as a line of JSON
      --summary-export FILE    the summary as JSON
      --summary-trend-stats S  for example avg,p(99),max
      --tag NAME=VALUE         a tag for all samples (repeatable)
      --no-thresholds          measure, judge nothing
      --no-summary             print no summary
  -q, --quiet                  no progress

Exit status: 0, 99 when thresholds were crossed, 104 for wrong options, 107 when the script failed.
Example: load-tests/run scenarios/smoke.ts -e BASE_URL=http://127.0.0.1:8080 -e ENDPOINT=cars -e KEY=...
`;

export interface CommandLine {
  scriptPath: string;
  scriptFolder: string;
  environment: Record<string, string>;
  overrides: Overrides;
  jsonOut: string | undefined;
  summaryExport: string | undefined;
  noThresholds: boolean;
  noSummary: boolean;
  quiet: boolean;
}

/** Undefined: help was asked for. The script is looked for in `folders`, in their order. */
export function parseCommandLine(
  args: readonly string[],
  folders: readonly string[],
  systemEnvironment: Readonly<Record<string, string | undefined>>,
): CommandLine | undefined {
  const { values, positionals } = parse(args);
  if (values.help === true) return undefined;
  // `k6 run SCRIPT` is accepted as well.
  const scripts = positionals[0] === 'run' ? positionals.slice(1) : positionals;
  const script = scripts[0];
  if (script === undefined || scripts.length > 1) throw wrong('name one script; --help shows how');
  const candidates = folders.map((folder) => resolve(folder, script));
  const scriptPath = candidates.find((candidate) => existsSync(candidate));
  if (scriptPath === undefined) throw wrong(`there is no script ${candidates.join(' or ')}`);
  return {
    scriptPath,
    scriptFolder: dirname(scriptPath),
    environment: { ...defined(systemEnvironment), ...pairs(values.env ?? [], '--env', systemEnvironment) },
    overrides: {
      ...(values.vus === undefined ? {} : { vus: whole(values.vus, '--vus') }),
      ...(values.duration === undefined ? {} : { duration: values.duration }),
      ...(values.iterations === undefined ? {} : { iterations: whole(values.iterations, '--iterations') }),
      ...(values.stage === undefined ? {} : { stages: values.stage.flatMap(stages) }),
      ...(values.tag === undefined ? {} : { tags: pairs(values.tag, '--tag', {}) }),
      ...(values['summary-trend-stats'] === undefined
        ? {}
        : { summaryTrendStats: values['summary-trend-stats'].split(',') }),
    },
    jsonOut: jsonFile(values.out),
    summaryExport: values['summary-export'],
    noThresholds: values['no-thresholds'] === true,
    noSummary: values['no-summary'] === true,
    quiet: values.quiet === true,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        env: { type: 'string', short: 'e', multiple: true },
        vus: { type: 'string', short: 'u' },
        duration: { type: 'string', short: 'd' },
        iterations: { type: 'string', short: 'i' },
        stage: { type: 'string', short: 's', multiple: true },
        out: { type: 'string', short: 'o' },
        'summary-export': { type: 'string' },
        'summary-trend-stats': { type: 'string' },
        tag: { type: 'string', multiple: true },
        'no-thresholds': { type: 'boolean' },
        'no-summary': { type: 'boolean' },
        quiet: { type: 'boolean', short: 'q' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw wrong(messageOf(error));
  }
}

function wrong(message: string): RunError {
  return new RunError('invalidConfig', message);
}

function whole(text: string, flag: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw wrong(`${flag}: '${text}' is no whole number from 1 up`);
  return Number(text);
}

function stages(text: string): { duration: string; target: number }[] {
  return text.split(',').map((stage) => {
    const [, duration, target] = /^([^:]+):(\d+)$/.exec(stage) ?? [];
    if (duration === undefined) throw wrong(`--stage: '${stage}' is no stage; write for example 30s:20`);
    return { duration, target: Number(target) };
  });
}

function pairs(
  given: readonly string[],
  flag: string,
  otherwise: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  return Object.fromEntries(
    given.map((pair) => {
      const equals = pair.indexOf('=');
      const name = equals < 0 ? pair : pair.slice(0, equals);
      const value = equals < 0 ? otherwise[name] : pair.slice(equals + 1);
      if (name === '' || value === undefined) throw wrong(`${flag}: '${pair}' is not of the form NAME=VALUE`);
      return [name, value];
    }),
  );
}

function jsonFile(out: string | undefined): string | undefined {
  if (out === undefined) return undefined;
  const file = /^json=(.+)$/.exec(out)?.[1];
  if (file === undefined) throw wrong(`--out: the stand-in runner writes json=FILE only, not '${out}'`);
  return file;
}

function defined(environment: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}
