import { expect, it } from 'vitest';
import { notFound } from './index.ts';

it('says which kind of thing is not there, and never repeats a name of any length', () => {
  expect(notFound('online-deployment', 'cars/luca')).toMatchObject({
    code: 'not_found',
    reason: 'DEPLOYMENT_NOT_FOUND',
    message: "there is no online deployment 'cars/luca'",
  });
  expect(notFound('model', 'm'.repeat(10_000)).message.length).toBeLessThan(200);
});
