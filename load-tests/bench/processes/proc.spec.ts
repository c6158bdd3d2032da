import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { cpuSeconds, machineBusySeconds, parseStat, rssMib, startOf, withDescendants } from './proc.ts';

describe('parseStat', () => {
  it('is not misled by a name with brackets and spaces', () => {
    const fields = Array.from({ length: 50 }, (_, index) => String(index + 3));
    fields[0] = 'S';
    expect(parseStat(`77 (a) b (c)) ${fields.join(' ')}\n`)).toEqual({
      parent: 4,
      ticks: 14 + 15,
      startTicks: 22,
      rssPages: 24,
    });
  });
});

describe('machineBusySeconds', () => {
  it('leaves idle and waiting for disks out', () => {
    expect(machineBusySeconds('cpu  100 20 30 9999 8888 5 6 7 0 0\ncpu0 1 2 3\n')).toBe(1.61);
  });
});

describe('this machine', () => {
  it('shows the work and memory of this process', () => {
    const before = cpuSeconds([process.pid]);
    for (let at = performance.now(); performance.now() - at < 60;);
    expect(cpuSeconds([process.pid])).toBeGreaterThan(before);
    expect(rssMib([process.pid])).toBeGreaterThan(10);
    expect(startOf(process.pid)).toBeGreaterThan(0);
  });

  it('counts children of children, and nothing for a process that is gone', async () => {
    const shell = spawn('sh', ['-c', 'sleep 30 & echo $!; wait'], { stdio: ['ignore', 'pipe', 'ignore'] });
    const [line] = (await once(shell.stdout, 'data')) as [Buffer];
    const sleeper = Number(line.toString());
    expect(withDescendants([shell.pid ?? 0]).toSorted()).toEqual([shell.pid ?? 0, sleeper].toSorted());
    process.kill(sleeper);
    await once(shell, 'exit');
    expect(cpuSeconds([sleeper])).toBe(0);
    expect(startOf(sleeper)).toBeUndefined();
  });
});
