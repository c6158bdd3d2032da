import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface TempDir {
  path: string;
  /** Removes the folder and everything in it; safe to repeat. */
  remove(): void;
}

/** A new private folder below the system's temp folder, its path short enough for unix sockets inside it. */
export function tempDir(prefix = 'mooring-'): TempDir {
  const path = mkdtempSync(join(tmpdir(), prefix));
  return { path, remove: () => rmSync(path, { recursive: true, force: true, maxRetries: 3 }) };
}
