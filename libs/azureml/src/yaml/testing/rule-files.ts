import { loadYaml } from '../load-yaml.ts';
import type { DraftByKind, YamlKind } from '../drafts.ts';
import { yamlFolder, type YamlFolder } from './yaml-folder.ts';

export type Fields = Readonly<Record<string, string | undefined>>;

/** A good file of each kind, whose fields a case replaces. */
const good: Readonly<Record<YamlKind, Readonly<Record<string, string>>>> = {
  'online-endpoint': { name: 'fern' },
  'online-deployment': {
    name: 'blue',
    endpoint_name: 'fern',
    model: 'azureml:fern:1',
    environment: 'azureml:env:1',
    code_configuration: '{code: serving, scoring_script: handler.py}',
    instance_type: 'Standard_DS3_v2',
  },
  'batch-endpoint': { name: 'night' },
  'batch-deployment': {
    name: 'luca',
    endpoint_name: 'night',
    model: 'azureml:fern:1',
    environment: 'azureml:env:1',
    code_configuration: '{code: batchcode, scoring_script: driver.py}',
    compute: 'azureml:pool',
  },
  data: { name: 'photos', path: 'data/unlabelled' },
  component: { name: 'tidy', type: 'command', command: 'python tidy.py', code: 'pipe/components/src' },
  model: { name: 'fern', path: 'artifacts/fern' },
  environment: { name: 'fern', image: 'python:3.11' },
};

/** The text of a good file with these fields instead of its own; undefined leaves one out. */
export function fileOf(kind: YamlKind, fields: Fields): string {
  return Object.entries({ ...good[kind], ...fields })
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => `${key}: ${value}`)
    .join('\n');
}

export interface RuleFolder extends YamlFolder {
  /** Writes the text to a file of its own and reads it. */
  load<K extends YamlKind>(kind: K, text: string): Promise<DraftByKind[K]>;
}

export function ruleFolder(source: string): RuleFolder {
  const folder = yamlFolder(source);
  let files = 0;
  return {
    ...folder,
    load: (kind, text) => {
      files += 1;
      return loadYaml(folder.write(`rule-${files}.yml`, text), { kind });
    },
  };
}
