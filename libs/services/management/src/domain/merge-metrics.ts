import type { ProcessMetrics } from '@mooring/telemetry';

interface Family {
  help: string | undefined;
  type: string;
  samples: string[];
}

/** A sample line: name, labels, value with an optional timestamp. */
const sample = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})?\s+(\S+(?:\s+-?\d+)?)$/;

/**
 * The metrics of several processes as one exposition: each name has one HELP and one TYPE, each sample a label `process`
 * that keeps it apart. A process that gives a name another type than the first one does is left out for that name.
 */
export function mergeMetrics(processes: readonly ProcessMetrics[]): string {
  const families = new Map<string, Family>();
  const seen = new Set<string>();
  for (const { process, text } of processes) {
    // Two answers under one name would write the same series twice, which makes the whole page invalid.
    if (seen.has(process)) continue;
    seen.add(process);
    addProcess(families, process, text);
  }
  const blocks = [...families].map(([name, { help, type, samples }]) =>
    [...(help === undefined ? [] : [`# HELP ${name} ${help}`]), `# TYPE ${name} ${type}`, ...samples].join('\n'),
  );
  return blocks.length === 0 ? '' : `${blocks.join('\n')}\n`;
}

function addProcess(families: Map<string, Family>, process: string, text: string): void {
  const label = `process="${escaped(process)}"`;
  let help: { name: string; text: string } | undefined;
  let current: { name: string; type: string; family: Family } | undefined;
  for (const line of text.split('\n')) {
    const [, helpName, helpText] = /^# HELP (\S+) (.*)$/.exec(line) ?? [];
    const [, typeName, type] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (helpName !== undefined) help = { name: helpName, text: helpText ?? '' };
    else if (typeName !== undefined && type !== undefined) {
      current = open(families, typeName, type, help?.name === typeName ? help.text : undefined);
    } else if (line !== '' && !line.startsWith('#')) {
      const [, name = '', labels = '', value = ''] = sample.exec(line) ?? [];
      if (name === '') continue;
      if (current === undefined || !belongs(name, current.name, current.type)) {
        current = open(families, name, 'untyped', undefined);
      }
      if (current.type !== current.family.type) continue;
      const all = labels.trim() === '' ? label : `${labels.replace(/,\s*$/, '')},${label}`;
      current.family.samples.push(`${name}{${all}} ${value}`);
    }
  }
}

function open(
  families: Map<string, Family>,
  name: string,
  type: string,
  help: string | undefined,
): { name: string; type: string; family: Family } {
  const family = families.get(name) ?? { help, type, samples: [] };
  families.set(name, family);
  return { name, type, family };
}

function belongs(sampleName: string, family: string, type: string): boolean {
  if (sampleName === family) return true;
  const suffixes = type === 'histogram' ? ['_bucket', '_sum', '_count'] : type === 'summary' ? ['_sum', '_count'] : [];
  return suffixes.some((suffix) => sampleName === family + suffix);
}

function escaped(text: string): string {
  return text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n');
}
