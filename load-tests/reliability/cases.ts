import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A row of iris and what a bare session.run gives for it. */
export interface Case {
  row: readonly number[];
  label: number;
  probabilities: readonly number[];
}

interface Fixture {
  cases: { name: string; input: number[][]; label: number[]; probabilities: number[][] }[];
}

const fixture = new URL('../../libs/testing/fixtures/iris-onnx/', import.meta.url);
export const modelFile = fileURLToPath(new URL('model.onnx', fixture));
const tolerance = 1e-4;

/** 150 different requests, so that an answer that belongs to another request is noticed. */
export function loadCases(): readonly Case[] {
  const { cases } = JSON.parse(readFileSync(new URL('expected.json', fixture), 'utf8')) as Fixture;
  const all = cases.find(({ name }) => name === 'all_150');
  if (all === undefined) throw new Error('the fixture has no case all_150');
  return all.input.map((row, index) => ({
    row,
    label: all.label[index] ?? -1,
    probabilities: all.probabilities[index] ?? [],
  }));
}

export function isRight(expected: Case, probabilities: readonly unknown[]): boolean {
  return (
    probabilities.length === expected.probabilities.length &&
    expected.probabilities.every((value, index) => Math.abs(Number(probabilities[index]) - value) <= tolerance)
  );
}
