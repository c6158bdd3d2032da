/** `node rows.bench.ts`: microseconds of CPU from the bytes of a body to its tensor, by either way. */
import { decodeByParse } from '../json-text.ts';
import { tensorFromJson } from '../json-read.ts';
import { readWithRows } from './scan.ts';

const kinds: Readonly<Record<string, (index: number) => number>> = {
  'short decimals': (index) => [5.1, 3.5, 1.4, 0.2][index % 4] as number,
  'three digits': (index) => Math.round(Math.abs(Math.sin(index * 78.233)) * 1_000) / 1_000,
  bytes: (index) => (index * 7_919) % 256,
  'all digits': (index) => Math.abs(Math.sin(index * 78.233)),
};
const sizes = [250, 500, 1_000, 10_000, 100_000, 1_000_000];
const workBytes = 2e7;

function bodyOf(bytes: number, kind: (index: number) => number, nested: boolean): { body: Buffer; count: number } {
  const trial = JSON.stringify(Array.from({ length: 1_000 }, (_, index) => kind(index)));
  const rows = Math.max(1, Math.round(((bytes - 60) * 250) / trial.length));
  const data = Array.from({ length: rows }, (_, row) => [0, 1, 2, 3].map((column) => kind(4 * row + column)));
  const input = { name: 'x', shape: [4 * rows], datatype: 'FP32', data: nested ? data : data.flat() };
  return { body: Buffer.from(JSON.stringify({ inputs: [input] })), count: 4 * rows };
}

/** The least of three rounds. */
function cpuUs(work: () => void, times: number): number {
  for (let time = 0; time < times / 3; time++) work();
  const rounds = [1, 2, 3].map(() => {
    const before = process.cpuUsage();
    for (let time = 0; time < times; time++) work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / times;
  });
  return Math.min(...rounds);
}

for (const nested of [false, true]) {
  for (const [name, kind] of Object.entries(kinds)) {
    for (const size of sizes) {
      const { body, count } = bodyOf(size, kind, nested);
      const read = (value: unknown): unknown => {
        const { inputs } = value as { inputs: { data: unknown }[] };
        return tensorFromJson('x', 'FP32', [count], inputs[0]?.data);
      };
      if (readWithRows(body, read) === undefined) throw new Error('left to JSON.parse');
      const times = Math.max(10, Math.round(workBytes / size));
      const parse = cpuUs(() => decodeByParse(body, 'the body', read), times);
      const rows = cpuUs(() => readWithRows(body, read), times);
      const shown = [parse, rows].map((us) => us.toFixed(1).padStart(8)).join(' ');
      console.log(`${nested ? 'rows' : 'flat'} ${name.padEnd(14)} ${String(body.length).padStart(8)} bytes: ${shown}`);
    }
  }
}
