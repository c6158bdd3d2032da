import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Child, until } from '../processes/child.ts';

export const peerNames = ['mlserver', 'azureml', 'fastapi'] as const;
export type PeerName = (typeof peerNames)[number];

const installMs = 600_000;

/** What is needed to find and to build a peer's venv. */
export interface PeerPlace {
  cache: string;
  signal: AbortSignal;
  say(line: string): void;
}

export function folderOf({ cache }: Pick<PeerPlace, 'cache'>, name: PeerName): string {
  return join(cache, 'venvs', name);
}

function listOf(name: PeerName): string {
  return fileURLToPath(new URL(`../peers/${name}.txt`, import.meta.url));
}

/** Whether the venv is there and holds what the list says now. */
export function isInstalled(place: Pick<PeerPlace, 'cache'>, name: PeerName): boolean {
  const stamp = join(folderOf(place, name), 'installed.txt');
  return existsSync(stamp) && readFileSync(stamp, 'utf8') === readFileSync(listOf(name), 'utf8');
}

/** Makes the peer's venv with the pinned packages below the cache folder; nothing when it is there. */
export async function installPeer(place: PeerPlace, name: PeerName): Promise<void> {
  if (isInstalled(place, name)) return place.say(`${name} is installed`);
  const folder = folderOf(place, name);
  place.say(`installing ${name} into ${folder}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const python = process.env['MOORING_BENCH_PYTHON'] ?? 'python3';
  await toEnd(place, python, ['-m', 'venv', folder]);
  await toEnd(place, join(folder, 'bin', 'python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--no-deps',
    '-r',
    listOf(name),
  ]);
  writeFileSync(join(folder, 'installed.txt'), readFileSync(listOf(name)));
}

async function toEnd({ signal }: PeerPlace, program: string, args: readonly string[]): Promise<void> {
  const child = Child.program(program, program, args, {});
  try {
    await until(
      async () => child.isGone,
      installMs,
      signal,
      () => `${program} did not end in time:\n${child.log}`,
    );
  } finally {
    await child.stop(2_000);
  }
  if (child.process.exitCode !== 0) throw new Error(child.ended());
}
