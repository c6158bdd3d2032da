import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { credentials, Metadata } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GRPCInferenceServiceClient, ModelInferRequest, type ModelInferResponse } from '@mooring/contracts/inference';
import { endpointYaml, figure, fixtures, onnxYaml, pythonWith, run, startPlatform, type Platform } from './harness.ts';

interface Tensor {
  datatype: string;
  shape: number[];
  data: (number | boolean | string)[];
}

interface Golden {
  http: {
    name: string;
    path: string;
    headers: [string, string][];
    body_base64: string;
    expected_outputs: Record<string, Tensor>;
  }[];
  grpc: { name: string; request_base64: string; expected_outputs: Record<string, Tensor> }[];
}

const golden = JSON.parse(readFileSync(join(fixtures, 'oip-golden/golden-kserve.json'), 'utf8')) as Golden;
const models: Record<string, string> = {
  iris: 'iris-onnx/model.onnx',
  digits: 'digits-mlp-onnx/model.onnx',
  mixed: 'slow-and-bad/models/mixed-dtypes.onnx',
  strings: 'slow-and-bad/models/string-input.onnx',
};
const keys: Record<string, string> = {};
let platform: Platform;

beforeAll(async () => {
  platform = await startPlatform();
  for (const [endpoint, model] of Object.entries(models)) {
    await platform.json('online-endpoint', 'create', '-f', platform.yaml(endpointYaml(endpoint)));
    await platform.json(
      'online-deployment',
      'create',
      '-f',
      platform.yaml(onnxYaml(endpoint, 'first', join(fixtures, model))),
      '--all-traffic',
    );
    keys[endpoint] = await platform.key(endpoint);
  }
});
afterAll(() => platform.remove());

const widths: Record<string, number> = { FP16: 2, FP32: 4, FP64: 8, INT8: 1, UINT8: 1, INT32: 4, INT64: 8, BOOL: 1 };

/** Raw tensor bytes as values; 64-bit integers as text, so that none is rounded. */
function values(datatype: string, raw: Buffer): (number | boolean | string)[] {
  if (datatype === 'BYTES') {
    const texts: string[] = [];
    for (let at = 0; at < raw.length;) {
      const length = raw.readUInt32LE(at);
      texts.push(raw.toString('utf8', at + 4, at + 4 + length));
      at += 4 + length;
    }
    return texts;
  }
  const width = widths[datatype] ?? Number.NaN;
  return Array.from({ length: raw.length / width }, (_, index) => {
    const at = index * width;
    switch (datatype) {
      case 'FP32':
        return raw.readFloatLE(at);
      case 'FP64':
        return raw.readDoubleLE(at);
      case 'INT8':
        return raw.readInt8(at);
      case 'UINT8':
        return raw.readUInt8(at);
      case 'INT32':
        return raw.readInt32LE(at);
      case 'INT64':
        return raw.readBigInt64LE(at).toString();
      case 'BOOL':
        return raw[at] === 1;
      default:
        return (
          new Float32Array(new Float16Array(raw.buffer.slice(raw.byteOffset + at, raw.byteOffset + at + 2)))[0] ??
          Number.NaN
        );
    }
  });
}

function expectTensor(
  where: string,
  datatype: string,
  shape: readonly number[],
  got: readonly unknown[],
  want: Tensor,
  wantTexts: readonly string[],
): void {
  expect(datatype, where).toBe(want.datatype);
  expect([...shape], where).toEqual(want.shape);
  expect(got.length, where).toBe(want.data.length);
  for (const [index, value] of want.data.entries()) {
    const actual = got[index];
    if (typeof value !== 'number' || typeof actual === 'string') {
      expect(String(actual), where).toBe(typeof value === 'number' ? wantTexts[index] : String(value));
    } else {
      const atol = datatype === 'FP16' ? 1e-3 : 1e-5;
      expect(Math.abs(Number(actual) - value), `${where}[${index}]`).toBeLessThanOrEqual(atol + 1e-4 * Math.abs(value));
    }
  }
}

/** The texts of the numbers of every expected tensor, in order: JSON.parse would round 2^53 + 1. */
function exactTexts(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  JSON.parse(text, function (this: unknown, key, value: unknown, context?: { source?: string }) {
    if (typeof value === 'number' && Array.isArray(this)) return context?.source ?? String(value);
    if (Array.isArray(value) && key === 'data') return value;
    if (typeof value === 'object' && value !== null && 'expected_outputs' in value && 'name' in value) {
      const { name, expected_outputs: outputs } = value as {
        name: string;
        expected_outputs: Record<string, { data: unknown[] }>;
      };
      for (const [output, { data }] of Object.entries(outputs)) found.set(`${name}/${output}`, data.map(String));
    }
    return value;
  } as (this: unknown, key: string, value: unknown) => unknown);
  return found;
}

const texts = exactTexts(readFileSync(join(fixtures, 'oip-golden/golden-kserve.json'), 'utf8'));

describe('the recorded requests of tritonclient over HTTP', () => {
  it.each(golden.http.map((request) => [request.name, request] as const))(
    '%s gets the reference answer',
    async (name, request) => {
      const endpoint = /models\/([^/]+)\//.exec(request.path)?.[1] ?? '';
      const headers = Object.fromEntries(
        request.headers.filter(([header]) => !/^(host|content-length)$/i.test(header)),
      );
      const answer = await platform.send(request.path, {
        key: keys[endpoint],
        headers,
        body: Buffer.from(request.body_base64, 'base64'),
      });
      expect(answer.status, answer.body.toString()).toBe(200);
      const jsonLength = Number(answer.headers['inference-header-content-length'] ?? answer.body.length);
      const parsed = JSON.parse(answer.body.toString('utf8', 0, jsonLength), function (
        _key,
        value: unknown,
        context?: { source?: string },
      ) {
        return typeof value === 'number' &&
          Array.isArray(this) &&
          !Number.isSafeInteger(value) &&
          Number.isInteger(value)
          ? (context?.source ?? value)
          : value;
      } as (this: unknown, key: string, value: unknown) => unknown) as {
        id?: string;
        outputs: {
          name: string;
          datatype: string;
          shape: number[];
          data?: unknown[];
          parameters?: { binary_data_size?: number };
        }[];
      };
      let at = jsonLength;
      for (const output of parsed.outputs) {
        const size = output.parameters?.binary_data_size;
        const got =
          size === undefined
            ? (output.data ?? []).flat(9)
            : values(output.datatype, answer.body.subarray(at, (at += size)));
        const want = request.expected_outputs[output.name];
        if (want === undefined) throw new Error(`${output.name} was not asked for`);
        expectTensor(
          `${name}/${output.name}`,
          output.datatype,
          output.shape,
          got,
          want,
          texts.get(`${name}/${output.name}`) ?? [],
        );
      }
      expect(parsed.outputs.map((output) => output.name).toSorted()).toEqual(
        Object.keys(request.expected_outputs).toSorted(),
      );
      expect(parsed.id).toBe(name);
    },
  );
});

describe('the recorded requests over gRPC', () => {
  it.each(golden.grpc.map((request) => [request.name, request] as const))(
    '%s gets the reference answer',
    async (name, request) => {
      const message = ModelInferRequest.decode(Buffer.from(request.request_base64, 'base64'));
      const answer = await inferRaw(message.modelName, Buffer.from(request.request_base64, 'base64'));
      for (const [index, output] of answer.outputs.entries()) {
        const raw = answer.rawOutputContents[index] ?? Buffer.alloc(0);
        const want = request.expected_outputs[output.name];
        if (want === undefined) throw new Error(`${output.name} was not asked for`);
        expectTensor(
          `${name}/${output.name}`,
          output.datatype,
          output.shape,
          values(output.datatype, raw),
          want,
          texts.get(`${name}/${output.name}`) ?? [],
        );
      }
      expect(answer.outputs.map((output) => output.name).toSorted()).toEqual(
        Object.keys(request.expected_outputs).toSorted(),
      );
    },
  );

  /** Sends the recorded bytes as they are. */
  function inferRaw(endpoint: string, bytes: Buffer): Promise<ModelInferResponse> {
    const client = new GRPCInferenceServiceClient(platform.grpc, credentials.createInsecure());
    const metadata = new Metadata();
    metadata.set('authorization', `Bearer ${keys[endpoint]}`);
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelInfer',
        (raw: Buffer) => raw,
        (raw: Buffer) => GRPCInferenceServiceClient.service.modelInfer.responseDeserialize(raw) as ModelInferResponse,
        bytes,
        metadata,
        { deadline: Date.now() + 20_000 },
        (error, response) => {
          client.close();
          if (error || response === undefined) reject(error ?? new Error('no answer'));
          else resolve(response);
        },
      );
    });
  }
});

describe('the real tritonclient', () => {
  it('works over HTTP and gRPC, one by one, asynchronously and streaming', async () => {
    const python = await pythonWith('triton', ['tritonclient[all]==2.73.0', 'numpy==2.4.6']);
    const script = join(fixtures, 'tritonclient/check.py');
    const { code, stdout, stderr } = await run(
      python,
      [script, platform.http, platform.grpc, keys['iris'] ?? '', keys['strings'] ?? ''],
      {},
    );
    expect(code, stderr + stdout).toBe(0);
    const passed = /(\d+) passed, 0 failed/.exec(stdout)?.[1];
    expect(Number(passed)).toBeGreaterThanOrEqual(12);
    figure(
      `A3 tritonclient: ${passed} checks passed, 0 failed; golden requests HTTP ${golden.http.length}, gRPC ${golden.grpc.length}`,
    );
  });
});
