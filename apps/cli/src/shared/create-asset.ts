import { resolve } from 'node:path';
import type { DraftByKind } from '@mooring/azureml/yaml';
import type { ApplyContext, StoredResource } from '@mooring/sdk';
import type { CommandContext } from '../context.ts';
import type { AssetKind } from './assets.ts';

interface AssetArgs {
  /** What is made, where no file says it. */
  what: string;
  file: string | undefined;
  /** Relative to the current folder, not to the file's; addresses stay as they are. */
  path?: string | undefined;
  overrides: Readonly<Record<string, string | undefined>>;
  sets: readonly string[];
}

/** Reads an asset out of a file, flags or both, stores it by `apply`, and prints it. */
export async function createAsset<K extends AssetKind>(
  kind: K,
  { what, file, path, overrides, sets }: AssetArgs,
  apply: (draft: DraftByKind[K], context: ApplyContext) => Promise<StoredResource>,
  context: CommandContext,
): Promise<void> {
  const { loadValue, loadYaml, localPathOf, yamlShapeOf } = await import('@mooring/azureml/yaml');
  const local = path === undefined ? undefined : localPathOf(path);
  const own = local === undefined ? path : resolve(local);
  const options = { kind, sets, overrides: { ...overrides, path: own } };
  const draft =
    file === undefined ? await loadValue({}, { ...options, what, baseDir: '.' }) : await loadYaml(file, options);
  const client = await context.client();
  const stored = await context.progress((onStep) => apply(draft, { client, onStep, signal: context.signal }));
  await context.print(yamlShapeOf(kind, stored.body));
}
