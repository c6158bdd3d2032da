import type { ComponentVersionSpec, DataVersionSpec, Stored } from '@mooring/domain';
import { choice, object, required, type Reading } from '../reading/fields.ts';
import { present } from '../reading/present.ts';
import { commonOf, commonToArm, versionFields } from './assets.ts';
import type { ArmContext } from './envelope.ts';
import { datastoreUriOf, uploadedFiles } from './ids.ts';
import { anyObject, envelope } from './scalars.ts';

const data = object({
  ...envelope,
  properties: required(
    object({
      ...versionFields,
      dataType: choice({ uri_folder: 'uri_folder', uri_file: 'uri_file', mltable: 'mltable' }),
      dataUri: required(uploadedFiles),
    }),
  ),
});

const component = object({
  ...envelope,
  properties: required(object({ ...versionFields, componentSpec: required(anyObject) })),
});

export function dataFromArm(body: unknown, reading: Reading): DataVersionSpec {
  const values = data.read(body, '', reading)?.properties ?? {};
  return present({
    ...commonOf(values),
    type: (values.dataType ?? 'uri_folder') as DataVersionSpec['type'],
    path: values.dataUri ?? '',
  }) as DataVersionSpec;
}

export function dataToArm({ spec }: Stored<'data'>, { workspace }: ArmContext): Record<string, unknown> {
  const dataUri = datastoreUriOf(workspace, spec.path);
  return { properties: present({ ...commonToArm(spec), dataType: spec.type, dataUri }) };
}

export function componentFromArm(body: unknown, reading: Reading): ComponentVersionSpec {
  const values = component.read(body, '', reading)?.properties ?? {};
  return present({ ...commonOf(values), component: values.componentSpec ?? {} }) as ComponentVersionSpec;
}

export function componentToArm({ spec }: Stored<'component'>): Record<string, unknown> {
  return { properties: present({ ...commonToArm(spec), componentSpec: spec.component }) };
}
