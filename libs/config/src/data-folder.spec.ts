import { describe, expect, it } from 'vitest';
import { dataFolder } from './index.ts';

describe('dataFolder', () => {
  it('keeps the run folder inside a data folder with a short path', () => {
    expect(dataFolder('/d').supervisorFile).toBe('/d/run/supervisor.json');
  });

  it('moves the run folder out of a data folder whose path is too long for a socket, one for each data folder', () => {
    const long = `/${'a'.repeat(90)}`;
    const moved = dataFolder(long);
    expect(moved.run.startsWith(long)).toBe(false);
    expect(moved.run).toBe(dataFolder(`${long}/`).run);
    expect(moved.run).not.toBe(dataFolder(`${long}b`).run);
    expect(moved.adminTokenFile).toBe(`${long}/secrets/admin.token`);
  });
});
