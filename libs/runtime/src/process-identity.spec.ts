import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { endProcess, identify, isAlive } from './index.ts';

describe('a process identity', () => {
  it('names this process', () => {
    const self = identify(process.pid);
    expect(self?.pid).toBe(process.pid);
    expect(self && isAlive(self)).toBe(true);
  });

  it('is not fooled by another process with the same id', () => {
    expect(isAlive({ pid: process.pid, startTicks: 1 })).toBe(false);
  });

  it('ends a process that does not listen to SIGTERM, and knows that it is gone', async () => {
    const child = spawn(
      process.execPath,
      ['-e', "process.on('SIGTERM',()=>{});setInterval(()=>{},1e3);console.log(1)"],
      {
        stdio: ['ignore', 'pipe', 'ignore'],
      },
    );
    await once(child.stdout, 'data');
    const identity = identify(child.pid ?? 0);
    expect(identity).toBeDefined();
    if (identity === undefined) return;
    const exited = once(child, 'exit');
    await endProcess(identity, 50);
    expect((await exited)[1]).toBe('SIGKILL');
    expect(isAlive(identity)).toBe(false);
  });

  it('never signals a process that is not the one meant', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(()=>{},1e3)'], { stdio: 'ignore' });
    const pid = child.pid ?? 0;
    await endProcess({ pid, startTicks: 1 }, 0);
    expect(identify(pid)).toBeDefined();
    child.kill('SIGKILL');
    await once(child, 'exit');
  });
});
