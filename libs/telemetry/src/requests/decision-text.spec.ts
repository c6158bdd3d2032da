import { expect, it } from 'vitest';
import { decisionText, wantsDecision } from './decision-text.ts';
import type { Decided } from './ended-request.ts';

const decided: Decided = {
  deployment: 'luca',
  instanceId: 'luca-7',
  batchId: 'luca-7-12',
  batchRows: 8,
  rows: 2,
  retries: 1,
  pick: 'weight',
  trafficSlotPlusOne: 1,
  ejections: 1,
  modelDigest: 'd0',
  coldStart: 'first',
  placement: 'threads',
  cache: 'miss',
  idempotency: 'stored',
  mirrored: 'green,white',
};

it('says on one line how a request was decided', () => {
  expect(decisionText(decided)).toBe(
    'rule=weight, bucket=0, deployment="luca", instance="luca-7", placement=threads, batch="luca-7-12", batch-rows=8, ' +
      'rows=2, retries=1, ejections=1, model="d0", cold-start=first, cache=miss, idempotency=stored, mirrored="green,white"',
  );
});

it('leaves out what does not apply', () => {
  const nothing = { instanceId: '', batchId: '', batchRows: 0, rows: 0, modelDigest: '', placement: '', coldStart: '' };
  const refused = { ...decided, ...nothing, pick: 'pin', trafficSlotPlusOne: 0, ejections: 0, retries: 0 };
  expect(decisionText({ ...refused, cache: '', idempotency: '', mirrored: '' })).toBe(
    'rule=pin, deployment="luca", retries=0, ejections=0, cold-start=no',
  );
});

it('is a header whatever a name holds', () => {
  const text = decisionText({ ...decided, instanceId: 'a"b\\c\r\nx-evil: 1é' });
  expect(text).toContain('instance="a?b?c??x-evil: 1?"');
  expect(text).toMatch(/^[\x20-\x7e]+$/);
});

it.each([
  [undefined, false],
  ['', false],
  ['0', false],
  ['1', true],
  ['true', true],
] as const)('is asked for by %s: %s', (value, wanted) => expect(wantsDecision(value)).toBe(wanted));
