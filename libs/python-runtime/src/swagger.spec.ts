import { describe, expect, it } from 'vitest';
import { scriptSwagger, type ScriptCard } from './swagger.ts';

const plain: ScriptCard = { wantsHeaders: false, inputSchema: null, outputSchema: null };
const typed: ScriptCard = {
  wantsHeaders: false,
  inputSchema: { type: 'object', properties: { data: { type: 'array' } }, example: { data: [1] } },
  outputSchema: { type: 'number', example: 1 },
};
const swagger = (card: ScriptCard, query = ''): unknown => scriptSwagger(card, 'cars/luca', 'cars', query);

describe('the description of a scoring script', () => {
  it.each(['', 'version=2', 'version=2.0'])('is Swagger 2.0 by default: %j', (query) => {
    expect(swagger(typed, query)).toMatchObject({
      swagger: '2.0',
      info: { title: 'cars/luca' },
      basePath: '/endpoints/cars',
      paths: { '/score': { post: { parameters: [{ in: 'body', schema: { $ref: '#/definitions/ServiceInput' } }] } } },
      definitions: { ServiceInput: typed.inputSchema, ServiceOutput: typed.outputSchema },
    });
  });

  it.each([
    ['version=3', '3.0.3'],
    ['version=3.0', '3.0.3'],
    ['version=3.1', '3.1.0'],
  ])('is OpenAPI where it is asked for: %s', (query, openapi) => {
    expect(swagger(typed, query)).toMatchObject({
      openapi,
      paths: { '/score': { post: { operationId: 'RunMLService' } } },
      components: { schemas: { ServiceInput: typed.inputSchema, ServiceOutput: typed.outputSchema } },
    });
  });

  it('takes and gives any JSON when the script declares nothing', () => {
    const any = { type: 'object', example: {} };
    expect(swagger(plain)).toMatchObject({ definitions: { ServiceInput: any, ServiceOutput: any } });
  });

  it('refers to nothing that it does not hold', () => {
    for (const query of ['', 'version=3', 'version=3.1']) {
      const document = swagger(typed, query) as Record<string, unknown>;
      for (const [, path = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
        const found = path.split('/').reduce<unknown>((at, name) => (at as Record<string, unknown>)[name], document);
        expect(found, path).toBeDefined();
      }
    }
  });

  it('is not there in a version that does not exist, however long its name', () => {
    expect(() => swagger(plain, `version=${'9'.repeat(9_000)}`)).toThrow(
      expect.objectContaining({ code: 'not_found', reason: 'SWAGGER_VERSION_UNKNOWN' }),
    );
  });
});
