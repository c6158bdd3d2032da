import { loadSync, type MessageTypeDefinition } from '@grpc/proto-loader';
import { describe, expect, it } from 'vitest';
import { b64decode, b64encode } from './encoding.ts';
import { MessageTypes } from './grpc-messages.ts';
import { batch, get, url } from './http.ts';
import { canonicalHeaders } from './http-response.ts';

describe('k6/encoding', () => {
  it.each([
    ['std', '+/8='],
    ['rawstd', '+/8'],
    ['url', '-_8='],
    ['rawurl', '-_8'],
  ] as const)('writes and reads %s', (variant, text) => {
    const bytes = new Uint8Array([0xfb, 0xff]).buffer;
    expect(b64encode(bytes, variant)).toBe(text);
    expect(new Uint8Array(b64decode(text, variant) as ArrayBuffer)).toEqual(new Uint8Array([0xfb, 0xff]));
  });

  it('gives text when asked to', () => {
    expect(b64decode(b64encode('grüß'), 'std', 's')).toBe('grüß');
  });
});

describe('k6/http', () => {
  it('refuses calls that block, and names the one that does not', () => {
    expect(() => get()).toThrow(/http\.asyncRequest\('GET', url, body, params\)/);
    expect(() => batch()).toThrow(/Promise\.all.*http\.asyncRequest/);
  });

  it('keeps the values of a templated URL out of its name', () => {
    const id = 7;
    expect(url`http://host/items/${id}/x`).toEqual({ url: 'http://host/items/7/x', name: 'http://host/items/${}/x' });
  });

  it('has header names in canonical spelling and joins repeated ones', () => {
    expect(canonicalHeaders(['x-ms-request-id', 'a', 'RETRY-AFTER', '1', 'via', 'b', 'Via', 'c'])).toEqual({
      'X-Ms-Request-Id': 'a',
      'Retry-After': '1',
      Via: 'b, c',
    });
  });
});

describe('messages of k6/net/grpc', () => {
  const folder = `${import.meta.dirname}/../../../proto/third_party/inference`;
  const loaded = loadSync('grpc_service.proto', { includeDirs: [folder], keepCase: false });
  const types = new MessageTypes();
  for (const [name, definition] of Object.entries(loaded)) {
    if ('serialize' in definition) types.add(name, definition as MessageTypeDefinition<object, object>);
  }
  const request = loaded['inference.ModelInferRequest'] as MessageTypeDefinition<object, object>;
  const canonical = (message: object): object => types.canonical('inference', request, message);

  it('takes field names in both spellings, inside lists and maps as well', () => {
    expect(
      canonical({
        model_name: 'iris',
        parameters: { my_key: { string_param: 'x' } },
        inputs: [{ name: 'input', shape: ['1'], contents: { fp32_contents: [1] } }],
      }),
    ).toEqual({
      modelName: 'iris',
      parameters: { my_key: { stringParam: 'x' } },
      inputs: [{ name: 'input', shape: ['1'], contents: { fp32Contents: [1] } }],
    });
  });

  it('refuses a field that does not exist, wherever it is', () => {
    expect(() => canonical({ modelNam: 'iris' })).toThrow("inference.ModelInferRequest has no field 'modelNam'");
    expect(() => canonical({ inputs: [{ contents: { fp33Contents: [] } }] })).toThrow(
      "inference.InferTensorContents has no field 'fp33Contents'",
    );
  });
});
