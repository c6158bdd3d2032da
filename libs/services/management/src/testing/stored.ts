import type { ModelVersionSpec, Stored } from '@mooring/domain';

/** A stored model version; `at` is the minute of its making. */
export function storedModel(key: string, at = 0, spec: Partial<ModelVersionSpec> = {}): Stored<'model'> {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, at)).toISOString();
  return {
    kind: 'model',
    key,
    spec: {
      tags: {},
      properties: {},
      type: 'custom_model',
      path: 'workspaceblobstore/m',
      isAnonymous: false,
      isArchived: false,
      ...spec,
    },
    state: 'Succeeded',
    generation: 1,
    operation: { id: `model.x.${key}`, verb: 'create', status: 'Succeeded', startedAt: createdAt, endedAt: createdAt },
    system: { createdAt, createdBy: 'admin', lastModifiedAt: createdAt, lastModifiedBy: 'admin' },
    etag: '1',
  };
}
