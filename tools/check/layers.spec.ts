import { describe, expect, it } from 'vitest';
import { layerViolations, testingImports, withImports, type ProjectGraph } from './layers.ts';

function graph(tags: Record<string, string[]>, edges: [string, string][]): ProjectGraph {
  return {
    nodes: Object.fromEntries(
      Object.entries(tags).map(([name, list]) => [name, { data: { root: `libs/${name}`, tags: list } }]),
    ),
    dependencies: { all: edges.map(([source, target]) => ({ source, target })) },
  };
}

describe('the layer check', () => {
  it('accepts arrows that point down', () => {
    const sound = graph({ router: ['layer:service'], rpc: ['layer:platform'], errors: ['layer:util'] }, [
      ['router', 'rpc'],
      ['rpc', 'errors'],
    ]);
    expect(layerViolations(sound)).toEqual([]);
  });

  it('fails on a service that imports a service', () => {
    const bad = graph({ router: ['layer:service'], auth: ['layer:service'] }, [['router', 'auth']]);
    expect(layerViolations(bad)).toEqual([expect.stringContaining('router (service) imports auth (service)')]);
  });

  it('fails on an import of an app', () => {
    const bad = graph({ router: ['layer:service'], platform: ['layer:app'] }, [['router', 'platform']]);
    expect(layerViolations(bad)).toHaveLength(1);
  });

  it('fails on a project without a tag, with two, or with an unknown one', () => {
    const bad = graph({ a: [], b: ['layer:util', 'layer:app'], c: ['layer:misc'] }, []);
    expect(layerViolations(bad)).toHaveLength(3);
  });

  it('fails on a wildcard rule', () => {
    const violations = layerViolations(graph({}, []), [{ from: '*', to: ['*'] }]);
    expect(violations).toEqual([expect.stringContaining('wildcard')]);
  });

  it('sees an import between projects, static or lazy, and none in a comment', () => {
    const nodes = graph({ router: ['layer:service'], auth: ['layer:service'] }, []);
    const names = { [['@mooring', 'auth-service'].join('/')]: 'auth' };
    const seen = (text: string): number =>
      layerViolations(withImports(nodes, names, [{ path: 'libs/router/src/a.ts', text }])).length;
    // Put together here, so that the check does not see an import in this very file.
    const auth = ['@mooring', 'auth-service'].join('/');
    expect(seen(`import { a } from '${auth}';`)).toBe(1);
    expect(seen(`const a = await import('${auth}');`)).toBe(1);
    expect(seen(`// about ${auth}`)).toBe(0);
  });

  it('lets only spec files import the test harness', () => {
    const text = "import { tempDir } from '@mooring/testing';";
    expect(testingImports([{ path: 'libs/rpc/src/a.spec.ts', text }])).toEqual([]);
    expect(testingImports([{ path: 'load-tests/bench/a.ts', text }])).toEqual([]);
    expect(testingImports([{ path: 'libs/rpc/src/a.ts', text }])).toHaveLength(1);
  });
});
