import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layerViolations, testingImports, withImports, type ProjectGraph } from './layers.ts';
import { deadLinks } from './links.ts';
import { command, single, type CommandResult, type Outcome } from './run.ts';
import { vitest } from './vitest.ts';

export interface Step {
  name: string;
  about: string;
  run: () => Promise<Outcome>;
}

const bin = (name: string): string => `node_modules/.bin/${name}`;

/** In the order of their cost: what fails fast comes first. */
export const steps: readonly Step[] = [
  { name: 'format', about: 'oxfmt --check', run: () => single(command(bin('oxfmt'), ['--check'])) },
  { name: 'lint', about: 'oxlint, warnings count', run: () => single(command(bin('oxlint'), ['--deny-warnings'])) },
  { name: 'layers', about: 'who imports whom, over the project graph', run: () => single(layers()) },
  { name: 'types', about: 'tsc, no emit', run: () => single(command(bin('tsc'), ['-p', '.'])) },
  { name: 'proto-lint', about: 'buf lint', run: () => single(command(bin('buf'), ['lint'])) },
  { name: 'proto-breaking', about: 'buf breaking against proto/baseline.binpb', run: () => single(breaking()) },
  { name: 'proto-fresh', about: 'generated code equals what buf generates', run: () => single(freshness()) },
  { name: 'tidy', about: 'no machine paths or registry hosts in tracked files', run: () => single(tidy()) },
  { name: 'links', about: 'links of the documents, and ADRs that files name', run: () => single(links()) },
  { name: 'unit', about: 'unit tests', run: () => vitest('unit') },
  { name: 'integration', about: 'tests with real gRPC, NATS and processes', run: () => vitest('integration') },
  { name: 'conformance', about: 'HTTP/2 by h2spec, where there is Go to build it', run: conformance },
  { name: 'e2e', about: 'the whole platform as `up` starts it', run: () => vitest('e2e', topology('default')) },
  {
    name: 'e2e-measuring',
    about: 'the same, where what is tested is a figure',
    run: () => vitest('e2e-measuring', topology('default')),
  },
  { name: 'e2e-single', about: 'story, kills and restarts, all services in one process', run: () => storyOf('single') },
  {
    name: 'e2e-split',
    about: 'story, kills and restarts, each service in its own process',
    run: () => storyOf('split'),
  },
];

const topology = (name: string): NodeJS.ProcessEnv => ({ MOORING_E2E_TOPOLOGY: name });
const storyOf = (name: string): Promise<Outcome> =>
  vitest('e2e', topology(name), ['e2e/story', 'e2e/kill', 'e2e/restart']);

/** A machine needs no Go for Mooring; without it this one check is left out, and the output says so. */
async function conformance(): Promise<Outcome> {
  const { ok } = await command('go', ['version']);
  if (ok) return vitest('conformance');
  process.stdout.write('    left out: h2spec needs Go to be built, and there is none in PATH\n');
  return { passed: 0, failed: 0 };
}

async function layers(): Promise<CommandResult> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-graph-'));
  try {
    const file = join(folder, 'graph.json');
    const made = await command(bin('nx'), ['graph', `--file=${file}`]);
    if (!made.ok) return made;
    const { graph } = JSON.parse(readFileSync(file, 'utf8')) as { graph: ProjectGraph };
    const files = await trackedFiles(/\.ts$/);
    const problems = [...layerViolations(withImports(graph, packageNames(graph), files)), ...testingImports(files)];
    return { ok: problems.length === 0, output: problems.join('\n') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function packageNames(graph: ProjectGraph): Record<string, string> {
  return Object.fromEntries(
    Object.entries(graph.nodes).map(([project, { data }]) => {
      const { name } = JSON.parse(readFileSync(join(data.root, 'package.json'), 'utf8')) as { name: string };
      return [name, project];
    }),
  );
}

/** WIRE_JSON against the committed image of what is out there; `buf build -o proto/baseline.binpb` accepts a change. */
function breaking(): Promise<CommandResult> {
  return command(bin('buf'), ['breaking', '--against', 'proto/baseline.binpb']);
}

async function freshness(): Promise<CommandResult> {
  const folder = mkdtempSync(join(tmpdir(), 'mooring-gen-'));
  try {
    const generated = await command(bin('buf'), ['generate', '-o', folder]);
    if (!generated.ok) return generated;
    const difference = await command('git', [
      'diff',
      '--no-index',
      '--stat',
      'libs/contracts/src/gen',
      join(folder, 'libs/contracts/src/gen'),
    ]);
    if (difference.ok) return difference;
    return { ok: false, output: `${difference.output}\nrun: node_modules/.bin/buf generate` };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function tidy(): Promise<CommandResult> {
  const forbidden = /\/home\/[a-z]|\/root\/|\/work\/|registry\.npmjs|pypi\.org|files\.pythonhosted/;
  const problems: string[] = [];
  for (const { path, text } of await trackedFiles(
    /\.(ts|js|json|md|ya?ml|py|sh|proto|txt|svg)$|^tools\/(mooring|test)$/,
  )) {
    if (path === 'tools/check/steps.ts') continue;
    const line = text.split('\n').findIndex((content) => forbidden.test(content));
    if (line >= 0) problems.push(`${path}:${line + 1} names a machine path or a package registry host`);
  }
  return { ok: problems.length === 0, output: problems.join('\n') };
}

async function links(): Promise<CommandResult> {
  const files = await trackedFiles(/\.(ts|md|py|sh|proto|ya?ml)$/);
  const problems = deadLinks(
    files.filter(({ path }) => path !== 'tools/check/links.spec.ts'),
    existsSync,
  );
  return { ok: problems.length === 0, output: problems.join('\n') };
}

async function trackedFiles(pattern: RegExp): Promise<{ path: string; text: string }[]> {
  const { output } = await command('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard']);
  const paths = output.split('\0').filter((path) => pattern.test(path));
  return paths.flatMap((path) => {
    try {
      return [{ path, text: readFileSync(path, 'utf8') }];
    } catch {
      return [];
    }
  });
}
