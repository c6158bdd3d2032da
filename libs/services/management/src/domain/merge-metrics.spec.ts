import { describe, expect, it } from 'vitest';
import { mergeMetrics } from './merge-metrics.ts';

const edge = `# HELP requests_total Requests.
# TYPE requests_total counter
requests_total{code="200"} 3
# HELP wait Waiting.
# TYPE wait histogram
wait_bucket{le="1"} 1
wait_sum 0.5
wait_count 1
`;

describe('metrics of several processes', () => {
  it('have one HELP and one TYPE for each name, and a label that keeps processes apart', () => {
    const merged = mergeMetrics([
      { process: 'edge-1', text: edge },
      { process: 'control-2', text: edge },
    ]);
    expect(merged.match(/# TYPE requests_total counter/g)).toHaveLength(1);
    expect(merged).toContain('requests_total{code="200",process="edge-1"} 3');
    expect(merged).toContain('requests_total{code="200",process="control-2"} 3');
    expect(merged).toContain('wait_sum{process="edge-1"} 0.5');
  });

  it('keep the samples of a family together', () => {
    const lines = mergeMetrics([
      { process: 'a', text: edge },
      { process: 'b', text: edge },
    ]).split('\n');
    const wait = lines.flatMap((line, index) => (line.startsWith('wait_') ? [index] : []));
    expect(wait).toEqual(wait.map((_, index) => (wait[0] ?? 0) + index));
  });

  it('take a process once, and leave out what it calls by another type', () => {
    const other = '# TYPE requests_total gauge\nrequests_total 9\n';
    const merged = mergeMetrics([
      { process: 'a', text: edge },
      { process: 'a', text: edge },
      { process: 'b', text: other },
    ]);
    expect(merged.match(/process="a"/g)).toHaveLength(4);
    expect(merged).not.toContain('process="b"');
  });

  it('are empty where nobody answered, and lines that are none are passed over', () => {
    expect(mergeMetrics([])).toBe('');
    expect(mergeMetrics([{ process: 'a"\n', text: 'not a sample\nup 1\n' }])).toBe(
      '# TYPE up untyped\nup{process="a\\"\\n"} 1\n',
    );
  });
});
