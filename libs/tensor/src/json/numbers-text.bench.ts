/** `node numbers-text.bench.ts`: nanoseconds of CPU for the text of one number, beside join of the same typed array. */
import type { Elements } from '../datatype.ts';
import { floatsText, wholesText } from './numbers-text.ts';

const runs: Readonly<Record<string, (index: number) => Elements>> = {
  'FP32, all digits': () => Float32Array.from({ length: 4_096 }, Math.random),
  'FP64, all digits': () => Float64Array.from({ length: 4_096 }, Math.random),
  'FP64, three digits': () => Float64Array.from({ length: 4_096 }, () => Math.round(Math.random() * 1_000) / 1_000),
  'FP32, whole': () => Float32Array.from({ length: 4_096 }, () => Math.round(Math.random() * 1_000)),
  UINT8: () => Uint8Array.from({ length: 4_096 }, () => Math.random() * 256),
  'INT64, small': () => BigInt64Array.from({ length: 4_096 }, () => BigInt(Math.round(Math.random() * 3))),
  'INT64, large': () => BigInt64Array.from({ length: 4_096 }, () => BigInt(Math.round(Math.random() * 1e12))),
};
const arrays = 64;
const rounds = 5;

/** Other numbers each time: V8 remembers the texts of those that it saw last. */
function nsPerNumber(work: (elements: Elements) => string, lists: readonly Elements[]): number {
  const each = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    for (const list of lists) work(list);
    const { user, system } = process.cpuUsage(before);
    return ((user + system) * 1_000) / (lists.length * 4_096);
  });
  return Math.min(...each);
}

for (const [name, make] of Object.entries(runs)) {
  const lists = Array.from({ length: arrays }, (_, index) => make(index));
  const floats = lists[0] instanceof Float32Array || lists[0] instanceof Float64Array;
  const ours = floats
    ? (list: Elements): string => floatsText(list as Float64Array, 0, list.length)
    : (list: Elements): string => wholesText(list, 0, list.length);
  const [join, text] = [nsPerNumber((list) => list.join(','), lists), nsPerNumber(ours, lists)];
  console.log(`${name.padEnd(18)} join ${join.toFixed(0).padStart(4)} ns, ours ${text.toFixed(0).padStart(4)} ns`);
}
