import type { SpecProblem } from '@mooring/domain';
import { basename, dirname, resolve } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { applyChanges, type Changes } from './changes.ts';
import type { DraftByKind, YamlKind } from './drafts.ts';
import { isObject, type Reading } from '../reading/fields.ts';
import { assetChangeFields, type AssetChange } from './kinds/asset-change.ts';
import { readBatchDeployment } from './kinds/batch-deployment.ts';
import { readBatchEndpoint } from './kinds/batch-endpoint.ts';
import { readComponentFile } from './kinds/component.ts';
import { readData } from './kinds/data.ts';
import { draftEnvironment, readEnvironmentFields } from './kinds/environment.ts';
import { draftModel, readModelFields } from './kinds/model.ts';
import { readOnlineDeployment } from './kinds/online-deployment.ts';
import { readOnlineEndpoint } from './kinds/online-endpoint.ts';
import type { LocalContext, ScriptCheck } from './local-files.ts';
import { problemsError } from '../reading/problems.ts';
import { readTextFile } from './read-text.ts';
import { parseYaml, type YamlValue } from './read-yaml.ts';
import { isSchemaOf, noteOtherSchema, schemaNames, schemaOf } from './schema-name.ts';

export interface LoadOptions<K extends YamlKind> extends Changes {
  /** What the file describes. The caller knows (`mooring model create`); `$schema` does not decide. */
  kind: K;
  /** Values that win over the file's, such as `name` given by a flag. Undefined ones are left out. */
  overrides?: Readonly<Record<string, string | number | undefined>>;
  /** Without it scripts are not parsed. */
  checkScript?: ScriptCheck | undefined;
}

/**
 * Reads a resource file into what must be uploaded and what must be stored. Nothing is filled in: defaults are the
 * server's. Throws one PlatformError with every problem found in the file and in the local files it names.
 */
export async function loadYaml<K extends YamlKind>(file: string, options: LoadOptions<K>): Promise<DraftByKind[K]> {
  const absolute = resolve(file);
  const documents = parseYaml(await readTextFile(absolute), file);
  return readDocument(theDocument(documents, options.kind, file), {
    ...options,
    what: file,
    baseDir: dirname(absolute),
  });
}

/** The same for a resource that is no file: what `show` printed with changes, or one made from flags. */
export async function loadValue<K extends YamlKind>(
  value: Readonly<Record<string, unknown>>,
  options: LoadOptions<K> & { what: string; baseDir: string },
): Promise<DraftByKind[K]> {
  return readDocument({ value, sources: new Map() }, options);
}

/**
 * The changeable fields of an asset's version after `changes`; `current` is what `show` prints of them. Throws one
 * PlatformError with every field that does not exist or may not change.
 */
export function changeAsset(
  kind: keyof typeof assetChangeFields,
  current: Readonly<Record<string, unknown>>,
  changes: Changes,
  what: string,
): AssetChange {
  const problems: SpecProblem[] = [];
  const { description, tags, properties, stage } = current;
  const start = Object.fromEntries(
    Object.entries({ description, tags, properties, stage }).filter(([, v]) => v !== undefined),
  );
  const { value, sources } = applyChanges({ value: start, sources: new Map() }, changes, problems);
  const read: AssetChange | undefined = assetChangeFields[kind].read(value, '', { problems, sources });
  if (read === undefined || problems.length > 0) throw problemsError(what, problems);
  return read;
}

async function readDocument<K extends YamlKind>(
  document: YamlValue,
  options: LoadOptions<K> & { what: string; baseDir: string },
): Promise<DraftByKind[K]> {
  const problems: SpecProblem[] = [];
  const { value, sources } = applyChanges(withOverrides(document, options.overrides ?? {}), options, problems);
  const reading: Reading = { problems, sources, quotedNumbers: true };
  const context: LocalContext = { baseDir: options.baseDir, problems, checkScript: options.checkScript };
  const draft = await readers[options.kind](value, reading, context);
  if (draft === undefined || problems.length > 0) {
    if (problems.length === 0) throw new TypeError(`reading ${options.what} gave neither a draft nor a problem`);
    throw problemsError(options.what, noteOtherSchema(value, options.kind, problems));
  }
  return draft;
}

type Reader<D> = (value: unknown, reading: Reading, context: LocalContext) => Promise<D | undefined>;

const readers: { [K in YamlKind]: Reader<DraftByKind[K]> } = {
  'online-endpoint': async (value, reading) => readOnlineEndpoint(value, reading),
  'online-deployment': readOnlineDeployment,
  'batch-endpoint': async (value, reading) => readBatchEndpoint(value, reading),
  'batch-deployment': readBatchDeployment,
  data: readData,
  component: readComponentFile,
  model: async (value, reading, context) => {
    const read = readModelFields(value, '', reading);
    return read && !reading.problems.some((problem) => problem.later) ? draftModel(read, '', context) : undefined;
  },
  environment: async (value, reading, context) => {
    const read = readEnvironmentFields(value, '', reading);
    return read && !reading.problems.some((problem) => problem.later) ? draftEnvironment(read, '', context) : undefined;
  },
};

function withOverrides(
  document: YamlValue,
  overrides: Readonly<Record<string, string | number | undefined>>,
): YamlValue {
  const given = Object.entries(overrides).filter(([, value]) => value !== undefined);
  if (given.length === 0 || !isObject(document.value)) return document;
  return { ...document, value: { ...document.value, ...Object.fromEntries(given) } };
}

/** The file's only document, or the one of several whose `$schema` names the kind. */
function theDocument(documents: readonly YamlValue[], kind: YamlKind, file: string): YamlValue {
  const [first, second] = documents;
  if (first === undefined) {
    throw problemsError(file, [{ path: '(file)', problem: 'is empty', expected: `the YAML of one ${kind}` }]);
  }
  if (second === undefined) return first;
  const matching = documents.filter(({ value }) => isSchemaOf(value, kind));
  const [only, another] = matching;
  if (only !== undefined && another === undefined) return only;
  const found = documents.map(({ value }) => schemaOf(value) ?? 'no $schema').join(', ');
  throw new PlatformError(
    'invalid_argument',
    'SEVERAL_DOCUMENTS',
    `${basename(file)} holds ${documents.length} YAML documents`,
    {
      problems: [
        {
          path: '(file)',
          problem: `${matching.length === 0 ? 'none' : 'more than one'} of its documents (${found}) says by its $schema that it is the ${kind}`,
          expected: `one file for each resource, or exactly one document with a $schema that ends in ${schemaNames[kind][0]}.schema.json`,
        },
      ],
    },
  );
}
