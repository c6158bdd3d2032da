import { PlatformError } from '@mooring/errors';
import type { DataType } from '@mooring/tensor';
import { describeSpec, type ModelSignature, type TensorSpec } from './signature.ts';

type Schema = Record<string, unknown>;

const nonFiniteNote =
  'NaN and infinities have no number in JSON: they are the texts "NaN", "Infinity" and "-Infinity", in requests and in answers.';

/**
 * The model's own signature as an API description: Swagger 2.0, or with `?version=3` OpenAPI 3.0.3 and with 3.1 OpenAPI
 * 3.1.0. Throws SWAGGER_VERSION_UNKNOWN (`not_found`) for another version.
 */
export function apiDescription(signature: ModelSignature, title: string, query: string): unknown {
  const version = new URLSearchParams(query).get('version') ?? '2';
  const info = { title, description: `Scores the model of deployment ${title}. ${nonFiniteNote}`, version: '1.0' };
  const input = inputSchema(signature);
  const output = answerSchema(signature);
  if (version === '2' || version === '2.0') return swagger2(info, input, output);
  if (version === '3' || version === '3.0') return openapi3('3.0.3', info, input, output);
  if (version === '3.1') return openapi3('3.1.0', info, input, output);
  throw new PlatformError(
    'not_found',
    'SWAGGER_VERSION_UNKNOWN',
    `there is no API description of version '${version.slice(0, 20)}'; there are 2, 3 and 3.1`,
  );
}

const healthy = 'If service is up and running, this response with the content "Healthy" will be returned.';

function swagger2(info: Schema, input: Schema, output: Schema): Schema {
  const error = {
    description: 'The request or the model failed; `error` says why.',
    schema: { $ref: '#/definitions/ErrorResponse' },
  };
  return {
    swagger: '2.0',
    info,
    consumes: ['application/json'],
    produces: ['application/json'],
    securityDefinitions: {
      Bearer: { type: 'apiKey', name: 'Authorization', in: 'header', description: 'Bearer <key>' },
    },
    security: [{ Bearer: [] }],
    paths: {
      '/': {
        get: {
          operationId: 'ServiceHealthCheck',
          description: 'Says whether the service is up.',
          responses: { 200: { description: healthy, schema: { type: 'string' } } },
        },
      },
      '/score': {
        post: {
          operationId: 'RunMLService',
          description: `Runs the model. ${nonFiniteNote}`,
          parameters: [
            { name: 'serviceInputPayload', in: 'body', required: true, schema: { $ref: '#/definitions/ServiceInput' } },
          ],
          responses: {
            200: { description: 'The outputs by name.', schema: { $ref: '#/definitions/ServiceOutput' } },
            default: error,
          },
        },
      },
    },
    definitions: { ServiceInput: input, ServiceOutput: output, ErrorResponse: errorSchema },
  };
}

function openapi3(version: string, info: Schema, input: Schema, output: Schema): Schema {
  const json = (name: string): Schema => ({ 'application/json': { schema: { $ref: `#/components/schemas/${name}` } } });
  return {
    openapi: version,
    info,
    security: [{ Bearer: [] }],
    paths: {
      '/': {
        get: {
          operationId: 'ServiceHealthCheck',
          description: 'Says whether the service is up.',
          responses: { 200: { description: healthy, content: { 'text/html': { schema: { type: 'string' } } } } },
        },
      },
      '/score': {
        post: {
          operationId: 'RunMLService',
          description: `Runs the model. ${nonFiniteNote}`,
          requestBody: { required: true, content: json('ServiceInput') },
          responses: {
            200: { description: 'The outputs by name.', content: json('ServiceOutput') },
            default: {
              description: 'The request or the model failed; `error` says why.',
              content: json('ErrorResponse'),
            },
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

const errorSchema: Schema = {
  type: 'object',
  properties: { error: { type: 'string' }, code: { type: 'string' }, reason: { type: 'string' } },
};

function inputSchema({ inputs }: ModelSignature): Schema {
  const only = inputs.length === 1 ? inputs[0] : undefined;
  const data =
    only === undefined
      ? { type: 'object', required: inputs.map((spec) => spec.name), properties: schemasOf(inputs) }
      : tensorSchema(only);
  const example =
    only === undefined ? Object.fromEntries(inputs.map((spec) => [spec.name, exampleOf(spec)])) : exampleOf(only);
  return { type: 'object', required: ['data'], properties: { data }, example: { data: example } };
}

function answerSchema({ outputs }: ModelSignature): Schema {
  const example = Object.fromEntries(outputs.map((spec) => [spec.name, exampleOf(spec)]));
  return { type: 'object', properties: schemasOf(outputs), example };
}

function schemasOf(specs: readonly TensorSpec[]): Schema {
  return Object.fromEntries(specs.map((spec) => [spec.name, tensorSchema(spec)]));
}

/** Nested arrays, one level for each dimension; `[]` may be of any rank, so nothing is said of it. */
function tensorSchema(spec: TensorSpec): Schema {
  const description = describeSpec(spec);
  if (spec.shape.length === 0) return { description };
  const schema = spec.shape.toReversed().reduce<Schema>((items, dimension) => {
    const fixed = typeof dimension === 'number' ? { minItems: dimension, maxItems: dimension } : {};
    return { type: 'array', items, ...fixed };
  }, elementSchema(spec.datatype));
  return { ...schema, description };
}

function elementSchema(datatype: DataType): Schema {
  if (datatype === 'BYTES') return { type: 'string' };
  if (datatype === 'BOOL') return { type: 'boolean' };
  if (datatype === 'FP64') return { type: 'number', format: 'double' };
  if (datatype.startsWith('FP')) return { type: 'number', format: 'float' };
  return { type: 'integer', format: datatype.endsWith('64') ? 'int64' : 'int32' };
}

/** Longer rows make an example unreadable. */
const exampleRowMax = 4;

function exampleOf(spec: TensorSpec): unknown {
  const element = spec.datatype === 'BYTES' ? 'text' : spec.datatype === 'BOOL' ? false : 0;
  return spec.shape.toReversed().reduce<unknown>((inner, dimension) => {
    const length = typeof dimension === 'number' ? Math.min(dimension, exampleRowMax) : 1;
    return Array.from({ length }, () => inner);
  }, element);
}
