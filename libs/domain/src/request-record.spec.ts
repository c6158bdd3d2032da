import { expect, it } from 'vitest';
import { isRequestId } from './request-record.ts';

it.each([
  ['0b7e6a52-35a8-4f6f-9d0e-6b8f3f5a1c11', true],
  ['my_id-7', true],
  ['a.b:c', true],
  ['x'.repeat(100), true],
  ['x'.repeat(101), false],
  ['', false],
  ['-x', true],
  ['..', false],
  ['../x', false],
  ['a b', false],
  ['$(reboot)', false],
  ['a\n', false],
  ['é', false],
] as const)('says of the id %j: %s', (text, is) => expect(isRequestId(text)).toBe(is));
