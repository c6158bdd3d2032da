import { seededBelow } from '@mooring/testing';
import { parse, stringify } from 'yaml';
import type { YamlKind } from '../drafts.ts';
import type { MalformedFile } from './malformed-texts.ts';

type Json = Record<string, unknown>;
type Path = readonly string[];

/** Good files with every field that a mutation may spoil. */
const goodFiles: Readonly<Record<YamlKind, string>> = {
  'online-endpoint': `
name: fern
description: shapes
auth_mode: key
traffic: {blue: 90, green: 10}
mirror_traffic: {grey: 20}
public_network_access: enabled
identity: {type: system_assigned}
tags: {team: shapes}
properties: {a: b}
`,
  'online-deployment': `
name: blue
endpoint_name: fern
type: managed
model: {name: fern, version: 1, path: artifacts/fern, type: custom_model}
environment: {name: env, image: "python:3.11", conda_file: env/conda.yaml, os_type: linux}
code_configuration: {code: serving, scoring_script: handler.py}
environment_variables: {WORKER_COUNT: 2}
instance_type: Standard_DS3_v2
instance_count: 2
app_insights_enabled: true
egress_public_network_access: enabled
scale_settings: {type: default}
request_settings: {request_timeout_ms: 9000, max_concurrent_requests_per_instance: 4, max_queue_wait_ms: 500}
liveness_probe: {initial_delay: 15, period: 10, timeout: 2, success_threshold: 1, failure_threshold: 30}
readiness_probe: {initial_delay: 15, period: 10, timeout: 2, success_threshold: 1, failure_threshold: 30}
data_collector: {rolling_rate: hour, sampling_rate: 0.5, collections: {request: {enabled: true}}}
properties: {mooring.batch.max-rows: 8}
tags: {team: shapes}
`,
  'batch-endpoint': `
name: night
description: rows
auth_mode: aad_token
defaults: {deployment_name: luca}
identity: {type: system_assigned}
tags: {team: shapes}
properties: {a: b}
`,
  'batch-deployment': `
name: luca
endpoint_name: night
type: model
model: {name: fern, version: 1, path: artifacts/fern, type: custom_model}
environment: {name: env, image: "python:3.11", conda_file: env/conda.yaml, os_type: linux}
code_configuration: {code: batchcode, scoring_script: driver.py}
environment_variables: {LEVEL: high}
compute: azureml:pool
resources: {instance_count: 2}
settings:
  mini_batch_size: 10
  max_concurrency_per_instance: 2
  output_action: append_row
  output_file_name: predictions.csv
  retry_settings: {max_retries: 3, timeout: 300}
  error_threshold: 5
  logging_level: info
properties: {mooring.batch.rows-per-mini-batch: 500}
tags: {team: shapes}
`,
  data: `
name: photos
version: 1
type: uri_folder
path: data/unlabelled
description: flowers
tags: {team: shapes}
`,
  component: `
name: tidy
version: 1
type: command
description: tidies
inputs: {data: {type: uri_folder, mode: ro_mount}}
outputs: {clean: {type: uri_folder}}
command: python tidy.py \${{inputs.data}} \${{outputs.clean}}
code: pipe/components/src
environment: {name: env, image: "python:3.11", conda_file: env/conda.yaml, os_type: linux}
environment_variables: {LEVEL: high}
tags: {team: shapes}
`,
  model: `
name: fern
version: 3
path: artifacts/fern
type: custom_model
description: shapes
stage: Production
tags: {team: shapes}
properties: {a: b}
`,
  environment: `
name: fern
version: 3
image: python:3.11
conda_file: env/conda.yaml
os_type: linux
tags: {team: shapes}
`,
};

/** Mappings that take any key. */
const openMappings = new Set([
  'traffic',
  'mirror_traffic',
  'tags',
  'properties',
  'environment_variables',
  'collections',
  'outputs',
]);
const requiredPaths: Readonly<Record<YamlKind, readonly string[]>> = {
  'online-endpoint': ['name'],
  'online-deployment': ['name', 'endpoint_name', 'instance_type', 'scale_settings.type', 'data_collector.collections'],
  'batch-endpoint': ['name'],
  'batch-deployment': ['name', 'endpoint_name', 'model', 'compute'],
  data: ['name', 'path'],
  component: ['name', 'type', 'command', 'inputs.data.type'],
  model: ['name', 'path'],
  environment: ['name', 'image'],
};
/** Values that take every text, or nearly every number. */
const freeTexts = new Set(['description', 'stage', 'image', 'output_file_name', 'command', 'error_threshold']);

/** `count` files, each a good one spoilt in one way that its title tells, and that a problem must name. */
export function mutatedFiles(seed: number, count: number): MalformedFile[] {
  const random = seededBelow(seed);
  const kinds = Object.keys(goodFiles) as YamlKind[];
  return Array.from({ length: count }, () => {
    const kind = pick(kinds, random);
    const mutate = pick(mutations, random);
    return { kind, ...mutate(kind, goodFiles[kind], random) };
  });
}

type Mutation = (kind: YamlKind, text: string, random: (below: number) => number) => Omit<MalformedFile, 'kind'>;

const mutations: readonly Mutation[] = [
  function wrongType(_kind, text, random) {
    const [value, paths] = parsed(text);
    const path = pick(paths, random);
    const spoilt = at(value, path);
    const isMapping = typeof spoilt === 'object';
    // The content of a conda file may stand in its place.
    const isConda = path.at(-1) === 'conda_file';
    const wrong = isConda
      ? ['x']
      : isMapping
        ? pick(['word', 7, true, ['x']], random)
        : pick([{ b: 1 }, [1, 2], [[]]], random);
    put(value, path, wrong);
    return { title: `${path.join('.')} of another type`, content: stringify(value), says: naming(path) };
  },
  function wrongWord(_kind, text, random) {
    const [value, paths] = parsed(text);
    const path = pick(
      paths.filter((candidate) => isRuled(value, candidate)),
      random,
    );
    put(value, path, pick(['§', '', 'a\nb', 'nope nope', '=1+1'], random));
    return { title: `${path.join('.')} with a word it does not know`, content: stringify(value), says: naming(path) };
  },
  function wrongNumber(_kind, text, random) {
    const [value, paths] = parsed(text);
    const numbers = paths.filter(
      (path) => typeof at(value, path) === 'number' && isRuled(value, path) && path.at(-1) !== 'version',
    );
    const path = numbers.length === 0 ? ['name'] : pick(numbers, random);
    put(value, path, numbers.length === 0 ? 12 : pick([-1, 1e9, 2.5, Number.NaN, Number.POSITIVE_INFINITY], random));
    return { title: `${path.join('.')} out of range`, content: stringify(value), says: naming(path) };
  },
  function unknownKey(_kind, text, random) {
    const [value, paths] = parsed(text);
    const strict = [[], ...paths].filter((path) => isStrict(value, path));
    const path = [
      ...pick(strict, random),
      pick(['Name', 'nmae', 'x-y', 'constructor', 'toString', '__proto__'], random),
    ];
    put(value, path, pick([1, 'x', {}, []], random));
    return { title: `an unknown ${path.join('.')}`, content: stringify(value), says: naming(path) };
  },
  function missingKey(kind, text, random) {
    const [value] = parsed(text);
    const path = pick(requiredPaths[kind], random).split('.');
    const parent = at(value, path.slice(0, -1)) as Json;
    if (random(2) === 0) delete parent[path.at(-1) ?? ''];
    else put(value, path, null);
    const says = path[0] === 'image' ? /says no base to build on/ : new RegExp(`${path.join('\\.')}: is missing`);
    return { title: `no ${path.join('.')}`, content: stringify(value), says };
  },
  function twice(_kind, text, random) {
    const lines = text.trim().split('\n');
    // Not one of a mapping below the last: at the end of the file it would be of no mapping.
    const line = pick(
      lines.filter((candidate) => !candidate.startsWith(' ')),
      random,
    );
    const key = line.split(':')[0] ?? '';
    return { title: `${key} twice`, content: [...lines, line].join('\n'), says: new RegExp(`${key}: is there twice`) };
  },
  function spoiltLine(_kind, text, random) {
    const lines = text.trim().split('\n');
    const line = random(lines.length);
    const spoil = pick(
      [
        '\t- x',
        'a: b: c',
        '"open',
        "'open",
        '[',
        '}',
        '*none',
        '- item',
        '&a &b c',
        '!!python/name:os x',
        '%x',
        '@',
        '\0',
      ],
      random,
    );
    const content = [...lines.slice(0, line), spoil, ...lines.slice(line)].join('\n');
    return { title: `a line '${spoil}' before line ${line + 1}`, content };
  },
  function spoiltByte(_kind, text, random) {
    const bytes = Buffer.from(text);
    const place = random(bytes.length);
    bytes[place] = pick([0x00, 0x01, 0x1b, 0x7f, 0x80, 0xc0, 0xfe, 0xff], random);
    return {
      title: `a byte 0x${bytes[place]?.toString(16)} at ${place}`,
      content: bytes,
      says: /UTF-8|control character/,
    };
  },
  function deep(_kind, text, random) {
    const [value, paths] = parsed(text);
    const path = pick(paths, random);
    let nested: unknown = 'x';
    const depth = pick([1, 10, 60, 70, 300], random);
    for (let level = 0; level <= depth; level += 1) nested = random(2) === 0 ? [nested] : { a: nested };
    // A mapping that takes any key still takes only single values.
    put(value, path, path.at(-1) === 'conda_file' ? [nested] : nested);
    return {
      title: `${path.join('.')} nested by ${depth}`,
      content: stringify(value, { aliasDuplicateObjects: false }),
    };
  },
  function missingFile(kind, text, random) {
    const [value, paths] = parsed(text);
    const files = paths.filter((path) => /^(path|conda_file|code|scoring_script)$/.test(path.at(-1) ?? ''));
    const path = files.length === 0 ? ['name'] : pick(files, random);
    if (files.length === 0) put(value, path, '../nowhere');
    else
      put(value, path, pick(['nowhere', '../../../nowhere', 'a\0b', 'x'.repeat(5000), '/dev/null', '\u202e'], random));
    return { title: `${path.join('.')} of ${kind} that is no file`, content: stringify(value), says: naming(path) };
  },
];

/** A problem must name the field, or what holds it. */
function naming(path: Path): RegExp {
  const escaped = path.map((step) => step.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`(^|\\n)${escaped[0] ?? ''}`);
}

function parsed(text: string): [Json, Path[]] {
  const value = parse(text) as Json;
  return [value, pathsOf(value, [])];
}

function pathsOf(value: unknown, prefix: Path): Path[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [[...prefix, key], ...pathsOf(item, [...prefix, key])]);
}

function at(value: unknown, path: Path): unknown {
  return path.reduce((here, step) => (here as Json)[step], value);
}

function put(value: Json, path: Path, item: unknown): void {
  const parent = at(value, path.slice(0, -1)) as Json;
  Object.defineProperty(parent, path.at(-1) ?? '', {
    value: item,
    enumerable: true,
    writable: true,
    configurable: true,
  });
}

function isRuled(value: Json, path: Path): boolean {
  const last = path.at(-1) ?? '';
  const inOpen = openMappings.has(path.at(-2) ?? '') && path[0] !== 'traffic' && path[0] !== 'mirror_traffic';
  return typeof at(value, path) !== 'object' && !freeTexts.has(last) && (!inOpen || last.startsWith('mooring.'));
}

function isStrict(value: Json, path: Path): boolean {
  const found = path.length === 0 ? value : at(value, path);
  return typeof found === 'object' && found !== null && !openMappings.has(path.at(-1) ?? '');
}

function pick<T>(items: readonly T[], random: (below: number) => number): T {
  const item = items[random(items.length)];
  if (item === undefined) throw new Error('nothing to pick from');
  return item;
}
