import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { layerViolations } from '../check/layers.ts';
import { generate, tableLine } from './generate.ts';

const root = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'new-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('tools/generate', () => {
  it('makes a service and a library that typecheck and carry a layer tag', () => {
    const written = [...generate(folder, 'service', 'cost-ledger'), ...generate(folder, 'library', 'ring-buffer')];
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    cpSync(join(root, 'tsconfig.base.json'), join(folder, 'tsconfig.base.json'));
    // The new packages are not linked before npm install has run, so the app's import of its service is left out here.
    const include = ['libs/services/cost-ledger/src', 'libs/ring-buffer/src'];
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: './tsconfig.base.json', include }));
    const types = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', folder], { encoding: 'utf8' });
    expect(types.stdout).toBe('');
    const nodes = Object.fromEntries(
      written
        .filter((path) => path.endsWith('package.json'))
        .map((path) => {
          const { nx } = JSON.parse(readFileSync(join(folder, path), 'utf8')) as {
            nx: { name: string; tags: string[] };
          };
          return [nx.name, { data: { root: path, tags: nx.tags } }];
        }),
    );
    expect(Object.keys(nodes).toSorted()).toEqual(['cost-ledger', 'cost-ledger-service', 'ring-buffer']);
    expect(layerViolations({ nodes, dependencies: {} })).toEqual([]);
  });

  it('makes a command that typechecks in the table of commands', () => {
    const copy = join(folder, 'with-command');
    cpSync(join(root, 'apps/cli'), join(copy, 'apps/cli'), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    cpSync(join(root, 'tsconfig.base.json'), join(copy, 'tsconfig.base.json'));
    writeFileSync(
      join(copy, 'tsconfig.json'),
      JSON.stringify({ extends: './tsconfig.base.json', include: ['apps/cli/src/main.ts'] }),
    );
    expect(generate(copy, 'command', 'online-endpoint/get-cost')).toEqual([
      'apps/cli/src/commands/online-endpoint/get-cost.ts',
    ]);
    const table = join(copy, 'apps/cli/src/command-table.ts');
    const before = "create: () => import('./commands/online-endpoint/create.ts'),";
    writeFileSync(
      table,
      readFileSync(table, 'utf8').replace(before, `${before}\n${tableLine('online-endpoint/get-cost')}`),
    );
    const types = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', copy], { encoding: 'utf8' });
    expect(types.stdout).toBe('');
    const main = join(copy, 'apps/cli/src/main.ts');
    const help = spawnSync(process.execPath, [main, 'online-endpoint', 'get-cost', '--help'], { encoding: 'utf8' });
    expect(help.stdout).toContain('mooring online-endpoint get-cost -n cars');
  });

  it('never overwrites, and refuses a name that is no name', () => {
    expect(() => generate(folder, 'library', 'ring-buffer')).toThrow('exists already');
    expect(() => generate(folder, 'library', '../escape')).toThrow('kebab-case');
    expect(() => generate(folder, 'command', 'endpoint')).toThrow('noun/verb');
  });
});
