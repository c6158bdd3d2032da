import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { httpRequest, nest, oipBinary, payloads } from '../payloads.ts';
import { catalogue } from '../systems/catalogue.ts';
import { deploymentYaml, useOf } from '../systems/mooring-endpoints.ts';
import { bodyOf } from './bodies.ts';
import { goodput, normalAfterSeconds } from './overload.ts';
import { workloads } from './workloads.ts';

describe('bodyOf', () => {
  it.each([1e3, 1e4, 1e6])('makes a body of about %d bytes', (bytes) => {
    const { body, rows } = bodyOf(bytes);
    expect(Math.abs(body.length - bytes)).toBeLessThan(0.05 * bytes);
    const { inputs, outputs } = JSON.parse(body.toString()) as {
      inputs: { shape: number[]; data: number[] }[];
      outputs: unknown;
    };
    expect(inputs[0]?.shape).toEqual([rows, 4]);
    expect(inputs[0]?.data).toHaveLength(rows * 4);
    expect(outputs).toEqual([{ name: 'label' }]);
  });

  it('has a row at least', () => expect(bodyOf(1).rows).toBe(1));
});

describe('normalAfterSeconds', () => {
  const good = { due: 5, good: 5, maxMs: 10 };
  const bad = { due: 5, good: 4, maxMs: 10 };
  const slow = { due: 5, good: 5, maxMs: 21 };
  it.each([
    ['at once', [good, good], 0],
    ['after the last that was not answered', [bad, good, bad, good, good], 0.3],
    ['after the last that was slow', [good, slow, good], 0.2],
    ['at once when nothing was due', [], 0],
  ])('is %s', (_, slices, seconds) => expect(normalAfterSeconds(slices, 10)).toBeCloseTo(seconds, 9));

  it('is unknown when it was not normal in the end', () => expect(normalAfterSeconds([good, bad], 10)).toBeNaN());
});

describe('goodput', () => {
  const peak = { perSecond: 400, cpuUs: 4_000, coresLeft: availableParallelism() };
  const during = { sent: 4_000, seconds: 2, cpuUs: 1_000, generatorCores: availableParallelism() / 4, otherCores: 0 };

  it('is held against the peak, and against what that would be on the cores that the generator left', () => {
    const found = goodput(during, 300, peak);
    expect(found['goodput %']).toBeCloseTo(75, 9);
    expect(found['on cores left %']).toBeCloseTo(100, 9);
  });

  it('leaves to the refusals what the good answers do not account for', () => {
    // 4 s of processor in all, 600 answers at 4 ms: 1.6 s for 3,400 refusals.
    expect(goodput(during, 300, peak)['refusal us']).toBeCloseTo(1.6e6 / 3_400, 6);
  });
});

describe('the catalogue', () => {
  it('serves every workload by some system, and names no other', () => {
    const served = new Set(catalogue.flatMap((entry) => entry.workloads));
    expect([...served].toSorted()).toEqual(workloads.map(({ name }) => name).toSorted());
  });

  it('has every reference', () => {
    const names = catalogue.map(({ name }) => name);
    for (const { references } of workloads) for (const name of references) expect(names).toContain(name);
  });

  it('gives each way of placing a model an endpoint of its own, and rows that only differ in the surface the same', () => {
    const endpoint = (system: string, workload: string): string => useOf({ system, workload }).endpoint.name;
    expect(endpoint('mooring', 'iris-rest')).toBe('iris');
    expect(endpoint('mooring', 'iris-grpc')).toBe('iris');
    expect(endpoint('mooring-process', 'iris-rest')).toBe('iris-process');
    expect(endpoint('mooring', 'script-wait20')).toBe('wait20');
    expect(() => endpoint('node-echo', 'iris-rest')).toThrow(/node-echo/);
  });

  it('writes deployments with their properties and workers', () => {
    const pinned = deploymentYaml(useOf({ system: 'mooring-process', workload: 'cnn-rest' }).endpoint, '/m.onnx', '/s');
    expect(pinned).toContain('model: {path: /m.onnx}\n');
    expect(pinned).toContain('properties:\n  mooring.placement: "process"\n');
    const script = deploymentYaml(useOf({ system: 'mooring', workload: 'script-rest' }).endpoint, undefined, '/s');
    expect(script).toContain('scoring_script: sum.py');
    expect(script).toContain('WORKER_COUNT: "2"');
    expect(script).not.toContain('properties');
  });
});

describe('payloads', () => {
  it('nest a flat list by its shape', () => {
    expect(nest([1, 2, 3, 4, 5, 6], [1, 3, 2])).toEqual([
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
    ]);
    expect(nest([1, 2], [2])).toEqual([1, 2]);
  });

  it('say how long the JSON before binary tensors is', () => {
    const { body, jsonBytes } = oipBinary(payloads.iris);
    expect(JSON.parse(body.toString('utf8', 0, jsonBytes))).toMatchObject({
      inputs: [{ parameters: { binary_data_size: 16 } }],
    });
    expect(body.readFloatLE(jsonBytes)).toBeCloseTo(5.1, 5);
  });

  it('are whole HTTP requests', () => {
    expect(httpRequest('/x', 'h:1', { a: 'b' }, Buffer.from('{}')).toString()).toBe(
      'POST /x HTTP/1.1\r\nHost: h:1\r\na: b\r\nContent-Length: 2\r\n\r\n{}',
    );
  });
});
