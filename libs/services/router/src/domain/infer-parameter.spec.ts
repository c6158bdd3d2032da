import { expect, it } from 'vitest';
import { ModelInferRequest } from '@mooring/contracts/inference';
import { textParameter } from './infer-parameter.ts';

function request(parameters: ModelInferRequest['parameters']): Buffer {
  const message = { modelName: 'cars', modelVersion: '', id: '', parameters, inputs: [], outputs: [] };
  return Buffer.from(ModelInferRequest.encode({ ...message, rawInputContents: [Buffer.alloc(300, 7)] }).finish());
}
const text = (value: string) => ({ parameterChoice: { $case: 'stringParam' as const, value } });

it('finds a text parameter among others and steps over everything else', () => {
  const message = request({
    priority: { parameterChoice: { $case: 'int64Param', value: 3 } },
    idempotency_key: text('order 7'),
    other: text('x'),
  });
  expect(textParameter(message, 'idempotency_key')).toBe('order 7');
});

it.each([
  ['none', {}],
  ['one of another name', { key: text('x') }],
])('finds nothing where there is %s', (_why, parameters) => {
  expect(textParameter(request(parameters), 'idempotency_key')).toBeUndefined();
});

it.each([
  ['a number', { parameterChoice: { $case: 'int64Param' as const, value: 7 } }],
  ['true', { parameterChoice: { $case: 'boolParam' as const, value: true } }],
  ['nothing', {}],
])('refuses one that is %s rather than passing over it', (_what, parameter) => {
  const message = request({ idempotency_key: parameter as ReturnType<typeof text> });
  const wanted = { reason: 'PARAMETER_INVALID', message: expect.stringContaining('idempotency_key must be a text') };
  expect(() => textParameter(message, 'idempotency_key')).toThrow(expect.objectContaining(wanted));
});

it.each([Buffer.of(0x22, 9, 1), Buffer.of(0x22, 2, 0x0a, 200), Buffer.of(0x27)])(
  'refuses %j, which is cut short',
  (bytes) => {
    expect(() => textParameter(bytes, 'idempotency_key')).toThrow(
      expect.objectContaining({ code: 'invalid_argument' }),
    );
  },
);
