import { describe, expect, it } from 'vitest';
import { endpointSpec, modelSpec } from '@mooring/domain/testing';
import { createdDocument, deletingDocument, endedDocument, isGone, updatedDocument } from './document.ts';
import { addressOf } from './keys.ts';

const first = { principal: 'ada', at: '2026-01-01T00:00:00.000Z', uuid: '00000000-0000-4000-8000-000000000001' };
const later = { principal: 'bob', at: '2026-01-02T00:00:00.000Z', uuid: '00000000-0000-4000-8000-000000000002' };
const endpoint = createdDocument(addressOf('online-endpoint', 'cars'), { spec: endpointSpec() }, 4, first);
const model = createdDocument(addressOf('model', 'fern', '1'), { spec: modelSpec() }, 1, first);

describe('a document', () => {
  it('begins with an operation for the controller', () => {
    expect(endpoint).toMatchObject({
      state: 'Creating',
      generation: 4,
      operation: { verb: 'create', status: 'InProgress', startedAt: first.at },
      system: { createdBy: 'ada', lastModifiedBy: 'ada' },
    });
  });

  it('of an asset is done when it is stored', () => {
    expect(model).toMatchObject({ state: 'Succeeded', operation: { status: 'Succeeded', endedAt: first.at } });
  });

  it('gets a new generation and a new operation with each change', () => {
    const changed = updatedDocument({ ...endpoint, warnings: ['old'], sealed: 'old' }, { spec: endpointSpec() }, later);
    expect(changed).toMatchObject({
      state: 'Updating',
      generation: 5,
      operation: { verb: 'update', status: 'InProgress' },
      system: { createdBy: 'ada', createdAt: first.at, lastModifiedBy: 'bob', lastModifiedAt: later.at },
    });
    expect(changed.operation.id).not.toBe(endpoint.operation.id);
    expect(changed).not.toHaveProperty('warnings');
    expect(changed).not.toHaveProperty('sealed');
  });

  it('ends with what was reported', () => {
    const error = { code: 'UserScriptInitFailed', message: 'init() raised' };
    const failed = endedDocument(endpoint, { status: 'Failed', error, warnings: ['w'], at: later.at });
    expect(failed).toMatchObject({
      state: 'Failed',
      generation: 4,
      warnings: ['w'],
      operation: { status: 'Failed', error, endedAt: later.at },
    });
  });

  it('is gone when nobody has to take it down', () => {
    expect(isGone(deletingDocument(model, later))).toBe(true);
    expect(isGone(deletingDocument(endpoint, later))).toBe(false);
    expect(isGone(model)).toBe(false);
  });
});
