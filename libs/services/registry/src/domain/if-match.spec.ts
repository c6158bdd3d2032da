import { describe, expect, it } from 'vitest';
import { checkIfMatch } from './if-match.ts';
import { addressOf } from './keys.ts';

const cars = addressOf('online-endpoint', 'cars');

describe('checkIfMatch', () => {
  it.each([
    { ifMatch: '', revision: undefined, why: 'unguarded, absent' },
    { ifMatch: '', revision: 7, why: 'unguarded, present' },
    { ifMatch: '*', revision: 7, why: 'must exist and does' },
    { ifMatch: '0', revision: undefined, why: 'must not exist and does not' },
    { ifMatch: '7', revision: 7, why: 'unchanged since it was read' },
  ])('lets a write through: $why', ({ ifMatch, revision }) => {
    expect(() => checkIfMatch(ifMatch, cars, revision)).not.toThrow();
  });

  it.each([
    { ifMatch: '*', revision: undefined, code: 'not_found', reason: 'ENDPOINT_NOT_FOUND' },
    { ifMatch: '0', revision: 7, code: 'already_exists', reason: 'ALREADY_EXISTS' },
    { ifMatch: '6', revision: 7, code: 'aborted', reason: 'STALE_ETAG' },
    { ifMatch: '7', revision: undefined, code: 'aborted', reason: 'STALE_ETAG' },
    { ifMatch: '07', revision: 7, code: 'aborted', reason: 'STALE_ETAG' },
    { ifMatch: 'undefined', revision: 7, code: 'aborted', reason: 'STALE_ETAG' },
    { ifMatch: 'undefined', revision: undefined, code: 'aborted', reason: 'STALE_ETAG' },
  ])('refuses $ifMatch over $revision with $reason', ({ ifMatch, revision, code, reason }) => {
    expect(() => checkIfMatch(ifMatch, cars, revision)).toThrow(expect.objectContaining({ code, reason }));
  });
});
