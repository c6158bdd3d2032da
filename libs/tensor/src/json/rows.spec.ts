import { describe, expect, it } from 'vitest';
import { PlatformError } from '@mooring/errors';
import { seeded } from '@mooring/testing';
import { bytesOf, dataTypes, decodeJson, shapeOfNested, tensorFromJson, type DataType, type Tensor } from '../index.ts';
import { decodeByParse } from '../json-text.ts';
import { NumberRows } from './number-rows.ts';
import { readWithRows } from './scan.ts';
import { decimalText, mutated, randomBody } from './testing.ts';

type Read = (value: unknown) => unknown;

/** The tensor, bit for bit, or all that a caller would hear of the error. */
function outcome(decode: () => unknown): unknown {
  try {
    return seen(decode());
  } catch (thrown) {
    if (!(thrown instanceof PlatformError)) throw thrown;
    return { code: thrown.code, reason: thrown.reason, message: thrown.message };
  }
}

function seen(value: unknown): unknown {
  const { elements, ...rest } = value as Tensor;
  return { ...rest, elements: Array.isArray(elements) ? elements : [...bytesOf(elements as Float32Array)] };
}

/** As the Open Inference Protocol declares it, or by its nesting as `/score` reads it. */
function readerOf(datatype: DataType, shape: number[] | undefined): Read {
  return (value) => {
    const { data } = value as { data: unknown };
    return tensorFromJson('x', datatype, shape ?? shapeOfNested(data, 'x'), data);
  };
}

describe('numbers read from bytes', () => {
  it('are the doubles that JSON.parse gives, however they are written', () => {
    const random = seeded(1);
    for (let round = 0; round < 300; round++) {
      const texts = Array.from({ length: 200 }, () => decimalText(random)).filter((text) => Number.isFinite(+text));
      const given = readWithRows(Buffer.from(`{"data":[${texts.join(',')}]}`), (value) => {
        const { data } = value as { data: NumberRows };
        return [...data.values];
      });
      const wanted = texts.map((text) => JSON.parse(text) as number);
      const wrong = wanted.findIndex((value, index) => !Object.is(value, given?.value[index]));
      expect(wrong < 0 ? undefined : [texts[wrong], given?.value[wrong]]).toBeUndefined();
    }
  });

  it.each([
    '9007199254740993',
    '9007199254740992.5',
    '0.5000000000000000277555756156289135105907917022705078125',
    '1.00000000000000011102230246251565404236316680908203125',
    '123456789012345678',
    '0.1234567890123456789012345',
    '1e22',
    '1e23',
    '8.5e-23',
    '4.9e-324',
    '2.4703282292062328e-324',
    '1.7976931348623157e308',
    '-0',
    '-0.0e-5',
    '0.0000000000000000000000000000001',
  ])('%s is rounded once', (text) => {
    const given = readWithRows(Buffer.from(`{"data":[${text}]}`), (value) => (value as { data: NumberRows }).data);
    expect(Object.is(given?.value.values[0], Number(text))).toBe(true);
  });
});

describe('bodies read from bytes', () => {
  const rounds = 6_000;

  it('give the tensors and the errors that JSON.parse and a walk over its arrays give', () => {
    const random = seeded(2);
    let quick = 0;
    for (let round = 0; round < rounds; round++) {
      const datatype = dataTypes[Math.floor(random() * dataTypes.length)] as DataType;
      const { text, shape } = randomBody(random, datatype);
      const read = readerOf(datatype, random() < 0.5 ? shape : undefined);
      const bytes = random() < 0.7 ? Buffer.from(text) : mutated(random, text);
      const wanted = outcome(() => decodeByParse(bytes, 'the body', read));
      const given = readWithRows(bytes, read);
      if (given === undefined) continue;
      quick += 1;
      expect({ text: bytes.toString(), datatype, ...(seen(given.value) as object) }).toEqual({
        text: bytes.toString(),
        datatype,
        ...(wanted as object),
      });
    }
    expect(quick).toBeGreaterThan(rounds / 4);
  });

  it('are handed to JSON.parse with what is rare or wrong, and refused in its words', () => {
    const many = Array.from({ length: 400 }, (_, index) => index).join(',');
    for (const tail of ['1e999', '01', '1.', '.5', '+1', 'null', '"nan"', '', '[1,2]', '{}', 'tru', '"NaN', '-true']) {
      const bytes = Buffer.from(`{"data":[${many},${tail}]}`);
      const read = readerOf('FP32', [401]);
      const wanted = outcome(() => decodeByParse(bytes, 'the body', read));
      expect(outcome(() => decodeJson(bytes, 'the body', read))).toEqual(wanted);
      expect(wanted).toMatchObject({ code: 'invalid_argument' });
    }
  });

  it('keep whole numbers beyond 2^53 exact, by way of JSON.parse', () => {
    const bytes = Buffer.from(`{"data":[9007199254740993,${Array.from({ length: 600 }, () => '7').join(',')}]}`);
    const read = readerOf('INT64', [601]);
    expect(readWithRows(bytes, read)).toBeUndefined();
    expect((decodeJson(bytes, 'the body', read) as Tensor).elements[0]).toBe(9007199254740993n);
  });

  it('may hold more tensors than one, and leave nothing of a body in the next', () => {
    const read: Read = (value) => {
      const { a, b } = (value as { data: Record<string, unknown> }).data;
      return [tensorFromJson('a', 'FP64', [3], a), tensorFromJson('b', 'FP64', [2, 5_000], b)];
    };
    const of = (seed: number): { text: string; wanted: number[][] } => {
      const wanted = [[seed, 2, 3], Array.from({ length: 10_000 }, (_, index) => index / 8 + seed)];
      return { text: JSON.stringify({ data: { a: wanted[0], b: wanted[1] } }), wanted };
    };
    const first = of(1);
    const tensors = decodeJson(Buffer.from(first.text), 'the body', read) as Tensor[];
    decodeJson(Buffer.from(of(5).text), 'the body', read);
    expect(tensors.map(({ elements }) => [...elements])).toEqual(first.wanted);
  });

  it('know a byte order mark, blanks around them and bytes that are not UTF-8', () => {
    const body = `{"data":[1,2],"name":"x"}`;
    const read = readerOf('INT8', [2]);
    expect(readWithRows(Buffer.from(` \r\n${body}\t `), read)).toBeDefined();
    for (const bytes of [`\u{feff}${body}`, `${body}\0`, `${body}x`, `x${body}`, `[${body}]`, '}', '']) {
      expect(readWithRows(Buffer.from(bytes), read)).toBeUndefined();
    }
    expect(readWithRows(Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]), String)).toBeUndefined();
    const inside = '{"a":"\u{feff}b\\n"}';
    expect(readWithRows(Buffer.from(inside), (value) => value)?.value).toEqual(JSON.parse(inside));
  });
});
