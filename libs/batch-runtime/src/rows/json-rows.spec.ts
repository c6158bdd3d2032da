import { seededBelow } from '@mooring/testing';
import { describe, expect, it } from 'vitest';
import { planColumns } from './columns-plan.ts';
import { JsonRows } from './json-rows.ts';
import { end, numberAt } from './number-at.ts';
import { RowBatch } from './row-batch.ts';
import { badRowMessage } from './take-row.ts';

const below = seededBelow(11);
const digits = (most: number): string => Array.from({ length: 1 + below(most) }, () => below(10)).join('');

function numberText(): string {
  const whole = below(3) === 0 ? '0' : `${1 + below(9)}${below(2) === 0 ? '' : digits(20)}`;
  const fraction = below(3) === 0 ? '' : `.${digits(24)}`;
  const exponent = below(3) > 0 ? '' : `${'eE'[below(2)]}${['', '+', '-'][below(3)]}${below(40)}`;
  return `${below(2) === 0 ? '-' : ''}${whole}${fraction}${exponent}`;
}

describe('a number in bytes', () => {
  it('is what Number makes of its text', () => {
    for (let time = 0; time < 100_000; time++) {
      const text = numberText();
      const value = numberAt(Buffer.from(`  ${text},`), 2);
      if (!Object.is(value, Number(text)) || end[0] !== 2 + text.length)
        expect([text, value]).toEqual([text, Number(text)]);
    }
  });

  it.each(['', '-', '.5', '5.', '+1', '05', '00', '-01', '1e', '1e+', 'x', '"1"', 'NaN', '١'])(
    'is none: %s',
    (text) => {
      numberAt(Buffer.from(`${text}\n`), 0);
      expect(end[0]).toBe(-1);
    },
  );
});

const columns = ['a', 'b', 'ü"'];
const inputs = [{ name: 'x', datatype: 'FP32', shape: [3], width: 3, hasRows: true }] as const;

/** What JSON.parse says that the row has. */
function byParse(text: string, isList: boolean): number[] | undefined {
  try {
    const row = JSON.parse(text) as Record<string, number> | number[] | null;
    const values = isList ? row : columns.map((column) => (row as Record<string, number>)[column]);
    if (!Array.isArray(values) || Array.isArray(row) !== isList || values.length !== 3) return undefined;
    const found = values.map((value) => Math.fround(value as number));
    return values.every((value) => typeof value === 'number') && found.every(Number.isFinite) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isSame(found: number[] | undefined, wanted: number[] | undefined): boolean {
  return found?.every((value, at) => Object.is(value, wanted?.[at])) ?? wanted === undefined;
}

const odd = ['"', ',', ':', '}', '{', ']', '[', '1', '0', '-', '.', 'e', ' ', '\\', 'n', 'ü', '\r', '\t'];

describe.each([false, true])('rows of JSON that are lists: %s', (isList) => {
  it('are taken, each with its numbers, if JSON.parse takes them, however they are damaged', () => {
    const rows = new JsonRows(inputs, isList ? undefined : ['n', ...columns], (names) =>
      planColumns(inputs, names, 'jsonl', isList ? undefined : columns),
    );
    const batch = new RowBatch(inputs, 1);
    let taken = 0;
    for (let time = 0; time < 30_000; time++) {
      const [a, b, c] = [numberText(), numberText(), numberText()];
      const gap = ['', ' ', '\t'][below(3)] as string;
      const note = ['"x"', '1', 'null', 'true', '"\\u00fc"', '[1]'][below(6)] as string;
      let text = isList
        ? `[${a},${gap}${b}${gap},${c}]`
        : `{"n":${gap}${note},"a":${a},${gap}"b"${gap}:${b},"ü\\"":${c}}${gap}`;
      for (let damage = below(3); damage > 0; damage--) {
        const at = below(text.length);
        text = text.slice(0, at) + (odd[below(odd.length)] as string) + text.slice(at + below(2));
      }
      // Older bytes before it and behind its end.
      const bytes = Buffer.from(`99${text}\n99]}`);
      const rowEnd = bytes.length - 5;
      let found: number[] | undefined;
      try {
        batch.clear();
        rows.read(bytes, 2, rowEnd, batch);
        batch.add(0);
        found = Array.from(batch.tensors(0, 1)[0]?.elements as Float32Array);
        taken += 1;
      } catch (thrown) {
        expect(badRowMessage(thrown, rows.plan)).not.toBe('');
      }
      const wanted = byParse(text, isList);
      // Nested lists are as good as flat ones here, and texts of what JSON has no number for.
      if (isList && wanted === undefined && found !== undefined && text.includes('[', 1)) continue;
      if (isSame(found, wanted)) continue;
      // Twice, on a machine at several times its load, JSON.parse's side found nothing in a row that is valid, and never again with the
      // same seed; so it is asked once more before we are said to be wrong.
      const asked = byParse(text, isList);
      if (!isSame(found, asked)) expect([text, found]).toEqual([text, asked]);
    }
    expect(taken).toBeGreaterThan(5_000);
  }, 30_000);
});
