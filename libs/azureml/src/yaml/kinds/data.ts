import { laterProblem } from '@mooring/domain';
import { choice, later, object, readOnly, required, type ObjectOf, type Reading } from '../../reading/fields.ts';
import { present } from '../../reading/present.ts';
import { laterReference } from '../../reading/references.ts';
import type { DataDraft, LocalFiles } from '../drafts.ts';
import { fileInside, localPath, type LocalContext } from '../local-files.ts';
import { assetName, assetVersion, commonFields, pathText } from './common.ts';

const fields = {
  name: required(assetName),
  version: assetVersion,
  type: choice({ uri_folder: 'uri_folder', uri_file: 'uri_file', mltable: 'mltable' }),
  path: required(pathText),
  intellectual_property: readOnly,
  auto_delete_setting: later('deletion of assets after a time'),
  datastore: later('datastores of your own'),
  ...commonFields,
};
const data = object(fields, 'a data asset');

type DataValues = ObjectOf<typeof fields>;

/** Files that are on the platform already. */
const stored = /^azureml:\/\/(?:subscriptions\/[^\s]+\/)?datastores\/[^/]+\/paths\/.+$/i;

/** azureml-contract 1.6, local files included. Undefined when a problem was noted. */
export async function readData(
  value: unknown,
  reading: Reading,
  context: LocalContext,
): Promise<DataDraft | undefined> {
  const read = data.read(value, '', reading);
  const isStored = read?.path !== undefined && stored.test(read.path);
  const capability = read?.path === undefined || isStored ? undefined : laterReference(read.path);
  if (capability !== undefined) reading.problems.push(laterProblem('path', capability));
  if (read?.path === undefined || reading.problems.some((problem) => problem.later)) return undefined;
  const files = isStored ? undefined : await localData(read, read.path, context);
  if (reading.problems.length > 0 || (files === undefined && !isStored)) return undefined;
  return {
    kind: 'data',
    ...present({ name: read.name, version: read.version, files }),
    body: {
      properties: present({
        description: read.description,
        dataType: read.type ?? 'uri_folder',
        dataUri: isStored ? read.path : undefined,
        isAnonymous: false,
        tags: read.tags ?? {},
        properties: read.properties ?? {},
      }),
    },
  } as DataDraft;
}

async function localData(
  { type = 'uri_folder' }: DataValues,
  path: string,
  context: LocalContext,
): Promise<LocalFiles | undefined> {
  const found = await localPath(path, 'path', context);
  if (found === undefined) return undefined;
  if (found.folder !== (type !== 'uri_file')) {
    const problem = `${found.files.path} is a ${found.folder ? 'folder' : 'file'}`;
    const expected = found.folder ? 'a file, or type: uri_folder' : `a folder: type is ${type} (or type: uri_file)`;
    context.problems.push({ path: 'path', problem, expected });
    return undefined;
  }
  if (type === 'mltable') await fileInside(found.files.path, 'MLTable', 'path', context);
  return found.files;
}
