import { ModelMetadataResponse, ModelReadyResponse } from '@mooring/contracts/inference';
import { Operation, Protocol } from '@mooring/contracts/scoring';
import type { ScoreCall, ScoreReply } from '@mooring/scoring-stream';
import { describe, expect, it } from 'vitest';
import { describeScript } from './describe-script.ts';
import { jsonOf, scoreCall } from './testing.ts';

const card = { wantsHeaders: false, inputSchema: null, outputSchema: null };
const names = { endpoint: 'cars', deployment: 'luca' };
const ask = (operation: Operation, changes: Partial<ScoreCall> = {}, ready = true): ScoreReply =>
  describeScript(card, names, ready, scoreCall('', { operation, ...changes }));

describe('what is asked about a script', () => {
  it('is its Swagger', () => {
    expect(jsonOf(ask(Operation.OPERATION_SWAGGER))).toMatchObject({ swagger: '2.0', info: { title: 'cars/luca' } });
  });

  it.each([true, false])('is whether it is ready (%s), in JSON and in gRPC', (ready) => {
    expect(jsonOf(ask(Operation.OPERATION_READY, {}, ready))).toEqual({ name: 'cars', ready });
    const grpc = ask(Operation.OPERATION_READY, { protocol: Protocol.PROTOCOL_OIP_GRPC }, ready);
    expect(ModelReadyResponse.decode(grpc.body).ready).toBe(ready);
  });

  it('is what it is: no tensors, its own version, under the name that was asked for', () => {
    const asked = { modelName: 'cars', modelVersion: '' };
    expect(jsonOf(ask(Operation.OPERATION_METADATA, asked))).toEqual({
      name: 'cars',
      versions: ['luca'],
      platform: 'python_scoring_script',
      inputs: [],
      outputs: [],
    });
    const grpc = ask(Operation.OPERATION_METADATA, { ...asked, protocol: Protocol.PROTOCOL_OIP_GRPC });
    expect(ModelMetadataResponse.decode(grpc.body)).toMatchObject({ name: 'cars', versions: ['luca'] });
  });

  it('cannot be tensors: the refusal says what to call instead', () => {
    expect(() => ask(Operation.OPERATION_INFER)).toThrow(
      expect.objectContaining({ code: 'unimplemented', message: expect.stringContaining('call POST /score instead') }),
    );
  });
});
