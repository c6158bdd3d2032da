import { PlatformError } from '@mooring/errors';

type Schema = Readonly<Record<string, unknown>>;

/** What a loaded script says about itself; the schemas come from its decorators. */
export interface ScriptCard {
  wantsHeaders: boolean;
  inputSchema: Schema | null;
  outputSchema: Schema | null;
}

const anyValue: Schema = { type: 'object', example: {} };
const jsonType = 'application/json';

/**
 * The description of `/score`: Swagger 2.0, or OpenAPI 3.0.3 and 3.1.0 with `?version=3` and `3.1`. A script without
 * schema decorators is described as taking and giving any JSON. Throws `not_found` for another version.
 */
export function scriptSwagger(card: ScriptCard, title: string, endpoint: string, query: string): unknown {
  const version = new URLSearchParams(query).get('version') ?? '2';
  const info = { title, description: `API of the scoring script of ${title}`, version: '1.0' };
  const input = card.inputSchema ?? anyValue;
  const output = card.outputSchema ?? anyValue;
  if (version === '2' || version === '2.0') return swagger2(info, endpoint, input, output);
  if (version === '3' || version === '3.0') return openapi3('3.0.3', info, input, output);
  if (version === '3.1') return openapi3('3.1.0', info, input, output);
  const shown = version.slice(0, 20);
  throw new PlatformError(
    'not_found',
    'SWAGGER_VERSION_UNKNOWN',
    `there is no API description of version '${shown}'; there are 2, 3 and 3.1`,
  );
}

const errorSchema: Schema = { type: 'object', properties: { message: { type: 'string' } } };
const healthy = 'The service is up.';
const scored = 'What the scoring script returned.';
const failed = 'The request was refused or the script failed.';

function swagger2(info: Schema, endpoint: string, input: Schema, output: Schema): Schema {
  return {
    swagger: '2.0',
    info,
    basePath: `/endpoints/${endpoint}`,
    schemes: ['https', 'http'],
    consumes: [jsonType],
    produces: [jsonType],
    securityDefinitions: {
      Bearer: { type: 'apiKey', name: 'Authorization', in: 'header', description: 'Bearer <key>' },
    },
    security: [{ Bearer: [] }],
    paths: {
      '/': {
        get: {
          operationId: 'ServiceHealthCheck',
          responses: { 200: { description: healthy, schema: { type: 'string' } } },
        },
      },
      '/score': {
        post: {
          operationId: 'RunMLService',
          parameters: [
            { name: 'serviceInputPayload', in: 'body', required: true, schema: { $ref: '#/definitions/ServiceInput' } },
          ],
          responses: {
            200: { description: scored, schema: { $ref: '#/definitions/ServiceOutput' } },
            default: { description: failed, schema: { $ref: '#/definitions/ErrorResponse' } },
          },
        },
      },
    },
    definitions: { ServiceInput: input, ServiceOutput: output, ErrorResponse: errorSchema },
  };
}

function openapi3(version: string, info: Schema, input: Schema, output: Schema): Schema {
  const json = (name: string): Schema => ({ [jsonType]: { schema: { $ref: `#/components/schemas/${name}` } } });
  return {
    openapi: version,
    info,
    // Relative to where this document was read from.
    servers: [{ url: '.' }],
    security: [{ Bearer: [] }],
    paths: {
      '/': {
        get: {
          operationId: 'ServiceHealthCheck',
          responses: { 200: { description: healthy, content: { 'text/html': { schema: { type: 'string' } } } } },
        },
      },
      '/score': {
        post: {
          operationId: 'RunMLService',
          requestBody: { required: true, content: json('ServiceInput') },
          responses: {
            200: { description: scored, content: json('ServiceOutput') },
            default: { description: failed, content: json('ErrorResponse') },
          },
        },
      },
    },
    components: {
      securitySchemes: { Bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { ServiceInput: input, ServiceOutput: output, ErrorResponse: errorSchema },
    },
  };
}
