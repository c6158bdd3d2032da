import { createServer } from 'node:net';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import type { UpFlags } from './platform-process.ts';

/** Where the platform listens unless it is told otherwise. */
const defaults = { http: '127.0.0.1:8080', grpc: '127.0.0.1:8081', management: '127.0.0.1:8082' } as const;

/**
 * Throws PlatformError PORT_TAKEN, naming every address that cannot be listened on. Without it the platform would try
 * again and again, and the user would read of it in a log a minute later.
 */
export async function checkPorts(flags: Pick<UpFlags, keyof typeof defaults>): Promise<void> {
  const names = Object.keys(defaults) as (keyof typeof defaults)[];
  const found = await Promise.all(names.map((name) => problemOf(name, flags[name] ?? defaults[name])));
  const problems = found.filter((problem) => problem !== undefined);
  if (problems.length === 0) return;
  throw new PlatformError('failed_precondition', 'PORT_TAKEN', 'the platform cannot listen', { problems });
}

async function problemOf(name: string, address: string): Promise<FieldProblem | undefined> {
  const at = address.lastIndexOf(':');
  const host = address.slice(0, at).replace(/^\[|\]$/g, '');
  const code = await tryToListen(host, Number(address.slice(at + 1)));
  if (code === undefined) return undefined;
  const why: Record<string, string> = {
    EADDRINUSE: 'is in use by another process',
    EACCES: 'may not be used by this user',
    EADDRNOTAVAIL: 'is no address of this machine',
    ENOTFOUND: 'is no address of this machine',
  };
  const problem = `${address} ${why[code] ?? `cannot be used (${code})`}`;
  return { path: `--${name}`, problem, expected: `another, such as --${name} 127.0.0.1:0, which takes a free port` };
}

/** The reason why not; undefined where it can be. */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}
