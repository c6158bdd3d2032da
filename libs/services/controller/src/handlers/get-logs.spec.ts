import { expect, it } from 'vitest';
import { createGetLogs } from './get-logs.ts';

const getLogs = createGetLogs({
  compute: { logs: (endpoint, deployment, tail) => `instances of ${endpoint}/${deployment}, ${tail}` },
  preparationLog: { tail: (endpoint, deployment, lines) => `preparation of ${endpoint}/${deployment}, ${lines}` },
});
const ask = (container: string, tail: number) => getLogs({ endpoint: 'cars', deployment: 'luca', container, tail });

it.each([
  { container: '', tail: 0, want: 'instances of cars/luca, 5000' },
  { container: 'inference-server', tail: 7, want: 'instances of cars/luca, 7' },
  { container: 'storage-initializer', tail: 4_000_000_000, want: 'preparation of cars/luca, 50000' },
])('answers $want for container "$container" and tail $tail', ({ container, tail, want }) => {
  expect(ask(container, tail).content).toBe(want);
});

it('refuses another container and says which there are', () => {
  expect(() => ask('sidecar', 1)).toThrow(/container.*inference-server or storage-initializer/);
});
