import { describe, expect, it } from 'vitest';
import { endpointSpec } from '@mooring/domain/testing';
import { createdDocument, deletingDocument, endedDocument, updatedDocument, type StoredDocument } from './document.ts';
import { addressOf } from './keys.ts';
import {
  addressOfOperation,
  asPast,
  nextGeneration,
  operationId,
  operationInHistory,
  revisionsOf,
  type Revision,
} from './operation.ts';

const cars = addressOf('online-endpoint', 'cars');
const act = (index: number) => ({
  principal: 'ada',
  at: `2026-01-01T00:00:0${index}.000Z`,
  uuid: `00000000-0000-4000-8000-00000000000${index}`,
});
const spec = endpointSpec();
const succeeded = { status: 'Succeeded', warnings: [], at: '2026-01-01T00:00:09.000Z' } as const;

const made = createdDocument(cars, { spec }, 1, act(1));
const done = endedDocument(made, succeeded);
const changed = updatedDocument(done, { spec }, act(2));
const changedAgain = updatedDocument(changed, { spec }, act(3));
const going = deletingDocument(changedAgain, act(4));

function historyOf(...values: (StoredDocument | undefined)[]): Revision[] {
  return values.map((value, index) => ({
    value,
    revision: 10 + index,
    createdAt: new Date(Date.UTC(2026, 0, 1, 1, index)),
  }));
}

describe('the id of an operation', () => {
  it.each([cars, addressOf('online-deployment', 'Cars', 'luca'), addressOf('model', 'a.b', '1.0')])(
    'tells where $kind $key is',
    (address) => {
      expect(addressOfOperation(operationId(address, act(1).uuid))).toEqual(address);
    },
  );

  it.each([
    '',
    'x',
    'online-endpoint',
    'pod.Y2Fycw.00000000-0000-4000-8000-000000000001',
    'online-endpoint.Y2Fycw.not-a-uuid-at-all-not-a-uuid-at-all!',
    `online-endpoint.${Buffer.from('cars/luca').toString('base64url')}.${act(1).uuid}`,
    `online-endpoint.${Buffer.from('a/').toString('base64url')}.${act(1).uuid}`,
    `model.${Buffer.from(`${'m'.repeat(400)}/1`).toString('base64url')}.${act(1).uuid}`,
    'y'.repeat(100_000),
  ])('that is none is not found (%#)', (id) => {
    expect(() => addressOfOperation(id)).toThrow(
      expect.objectContaining({ code: 'not_found', reason: 'OPERATION_NOT_FOUND' }),
    );
  });
});

describe('operationInHistory', () => {
  it.each([
    { why: 'it runs', document: changed, history: historyOf(made, done, changed), status: 'InProgress' },
    { why: 'it succeeded', document: made, history: historyOf(made, done, changed), status: 'Succeeded' },
    { why: 'a newer one came', document: changed, history: historyOf(done, changed, changedAgain), status: 'Canceled' },
    { why: 'a delete came', document: changedAgain, history: historyOf(changedAgain, going), status: 'Canceled' },
    { why: 'all is gone', document: going, history: historyOf(going, undefined), status: 'Succeeded' },
    { why: 'it was made anew since', document: going, history: historyOf(going, undefined, made), status: 'Succeeded' },
    { why: 'another removed it', document: changed, history: historyOf(changed, undefined), status: 'Canceled' },
  ])('says $status when $why', ({ document, history, status }) => {
    expect(operationInHistory(document.operation.id, history)).toMatchObject({ status });
  });

  it('knows nothing of what the history has lost', () => {
    expect(operationInHistory(made.operation.id, historyOf(changed, changedAgain))).toBeUndefined();
    expect(operationInHistory(made.operation.id, [])).toBeUndefined();
  });

  it('says when a superseded one ended', () => {
    expect(operationInHistory(changed.operation.id, historyOf(changed, changedAgain))?.endedAt).toBe(
      '2026-01-01T01:01:00.000Z',
    );
  });
});

describe('revisions', () => {
  it('are the last states of each generation, newest first, without deletions', () => {
    const history = historyOf(made, done, changed, changedAgain, going, undefined);
    expect(revisionsOf(history).map(({ value, revision }) => [value.generation, revision])).toEqual([
      [3, 13],
      [2, 12],
      [1, 11],
    ]);
  });

  it('that were superseded look canceled, others as they ended', () => {
    const history = historyOf(made, done, changed, changedAgain);
    expect(asPast(changed, history)).toMatchObject({ state: 'Canceled', operation: { status: 'Canceled' } });
    expect(asPast(done, history)).toMatchObject({ state: 'Succeeded', operation: { status: 'Succeeded' } });
    expect(asPast(changedAgain, history)).toMatchObject({ state: 'Updating', operation: { status: 'InProgress' } });
  });
});

describe('nextGeneration', () => {
  it.each([
    { history: historyOf(), next: 1 },
    { history: historyOf(made, done), next: 2 },
    { history: historyOf(made, changedAgain, going, undefined), next: 5 },
  ])('is past all that were: $next', ({ history, next }) => {
    expect(nextGeneration(history)).toBe(next);
  });
});
