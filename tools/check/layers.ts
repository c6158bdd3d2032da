/** Which layer may import which. Arrows point down only; services never import services. */
const may: Readonly<Record<string, string>> = {
  app: 'service platform contracts domain util',
  service: 'platform contracts domain util',
  platform: 'platform contracts domain util',
  frontend: 'sdk ui domain util',
  sdk: 'contracts domain util',
  ui: 'ui util',
  contracts: 'domain util',
  domain: 'domain util',
  util: 'util',
  // Only spec files may import it; that is checked file by file, see testingImports.
  testing: 'platform contracts sdk domain util',
  tools: 'util',
};

export interface LayerRule {
  from: string;
  to: readonly string[];
}

export const layerRules: readonly LayerRule[] = Object.entries(may).map(([from, to]) => ({ from, to: to.split(' ') }));

/** The part of `nx graph --file` that the check reads. */
export interface ProjectGraph {
  nodes: Readonly<Record<string, { data: { root: string; tags?: readonly string[] } }>>;
  dependencies: Readonly<Record<string, readonly { source: string; target: string }[]>>;
}

/**
 * The graph with an edge for each import between projects. Nx core reads package.json dependencies only; imports across
 * workspace links are not declared there, so they are read from the files.
 */
export function withImports(
  graph: ProjectGraph,
  packageNames: Readonly<Record<string, string>>,
  files: readonly SourceFile[],
): ProjectGraph {
  const roots = Object.entries(graph.nodes).map(([name, { data }]) => ({ name, prefix: `${data.root}/` }));
  const edges = new Map<string, { source: string; target: string }>();
  for (const { path, text } of files) {
    // Templates are copied elsewhere; their imports are those of the project that they become.
    const source = path.includes('/templates/') ? undefined : roots.find(({ prefix }) => path.startsWith(prefix))?.name;
    if (source === undefined) continue;
    for (const [, imported] of text.matchAll(/(?:from|import)\s*\(?\s*'(@mooring\/[a-z-]+)/g)) {
      const target = imported === undefined ? undefined : packageNames[imported];
      if (target !== undefined && target !== source) edges.set(`${source} ${target}`, { source, target });
    }
  }
  return { nodes: graph.nodes, dependencies: { ...graph.dependencies, imports: [...edges.values()] } };
}

export interface SourceFile {
  path: string;
  text: string;
}

/** Everything that breaks the rules, a sentence each; none = the graph is sound. */
export function layerViolations(graph: ProjectGraph, rules: readonly LayerRule[] = layerRules): string[] {
  const violations: string[] = [];
  const allowed = new Map(rules.map((rule) => [rule.from, new Set(rule.to)]));
  for (const rule of rules) {
    if (rule.from.includes('*') || rule.to.some((layer) => layer.includes('*'))) {
      violations.push(`the rule for '${rule.from}' has a wildcard, which would allow everything`);
    }
  }
  const layers = new Map<string, string>();
  for (const [name, { data }] of Object.entries(graph.nodes)) {
    const tags = (data.tags ?? []).filter((tag) => tag.startsWith('layer:'));
    const layer = tags[0]?.slice('layer:'.length);
    if (tags.length !== 1 || layer === undefined) {
      violations.push(`${name} (${data.root}) carries ${tags.length} layer tags; it needs exactly one`);
    } else if (!allowed.has(layer)) {
      violations.push(`${name} (${data.root}) carries the tag layer:${layer}, for which there is no rule`);
    } else layers.set(name, layer);
  }
  for (const { source, target } of Object.values(graph.dependencies).flat()) {
    const from = layers.get(source);
    const to = layers.get(target);
    if (from === undefined || to === undefined || to === 'testing') continue;
    if (allowed.get(from)?.has(to) !== true) {
      violations.push(`${source} (${from}) imports ${target} (${to}); ${from} may import: ${may[from] ?? 'nothing'}`);
    }
  }
  return violations;
}

/** Files other than specs, test harnesses and load tests that import layer:testing. */
export function testingImports(files: readonly SourceFile[]): string[] {
  return files
    .filter(({ path, text }) => !isTestFile(path) && /from '@mooring\/testing'/.test(text))
    .map(({ path }) => `${path} imports @mooring/testing; only spec files may`);
}

function isTestFile(path: string): boolean {
  return /\.spec\.ts$|\/(e2e|testing)\//.test(path) || /^(libs\/testing|load-tests)\//.test(path);
}
