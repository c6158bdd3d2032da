import { chmodSync, rmSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import net, { isIP } from 'node:net';
import { getSystemErrorMap } from 'node:util';

/** A socket that is bound. The first process that gets it makes it listen; it lives until the last one has closed it. */
interface BoundSocket {
  readonly fd: number;
  getsockname(into: { port?: number }): number;
  close(): void;
}

type Bind = (address: string, port: number, family: number, fd?: number, flags?: number) => BoundSocket | number;

/** Binds without listening, as node:cluster does for its workers. It has no public name: `listen` would also accept. */
const bind = (net as unknown as { _createServerHandle: Bind })._createServerHandle;
/** libuv's UV_TCP_REUSEPORT. */
const reusePortFlag = 2;
const pipe = -1;

export interface ListeningSocket {
  /** As bound: `host:port`, or `unix:/path`. */
  readonly address: string;
  readonly handle: BoundSocket;
  /** Binds the same address anew, once `handle` is closed. */
  again(): ListeningSocket;
}

/**
 * Binds `host:port` (port 0: a free one) or `unix:/path`. With `reusePort` several sockets share one port, and the kernel
 * spreads connections over them.
 */
export async function bindSocket(address: string, reusePort = false): Promise<ListeningSocket> {
  return address.startsWith('unix:') ? bindPath(address) : bindPort(address, reusePort);
}

function bindPath(address: string): ListeningSocket {
  const path = address.slice('unix:'.length);
  // Whoever held it is gone: this data folder is ours by now.
  rmSync(path, { force: true });
  const handle = checked(bind(path, pipe, pipe), address);
  chmodSync(path, 0o600);
  return { address, handle, again: () => bindPath(address) };
}

async function bindPort(address: string, reusePort: boolean): Promise<ListeningSocket> {
  const [, written = '', portText = ''] = /^(.*):(\d+)$/.exec(address) ?? [];
  const host = written.replace(/^\[(.*)\]$/, '$1');
  const ip = isIP(host) === 0 ? (await lookup(host)).address : host;
  return bindIp(ip, Number(portText), written, reusePort ? reusePortFlag : 0);
}

/** `written`: the host as the user wrote it. */
function bindIp(ip: string, port: number, written: string, flags: number): ListeningSocket {
  const address = `${written}:${port}`;
  const handle = checked(bind(ip, port, isIP(ip), undefined, flags), address);
  const bound: { port?: number } = {};
  // libuv keeps the word that a port is taken to itself until it is asked.
  const problem = handle.getsockname(bound);
  if (problem !== 0) handle.close();
  checked(problem === 0 ? handle : problem, address);
  const boundPort = bound.port ?? port;
  return { address: `${written}:${boundPort}`, handle, again: () => bindIp(ip, boundPort, written, flags) };
}

function checked(result: BoundSocket | number, address: string): BoundSocket {
  if (typeof result !== 'number') return result;
  const code = namesOfErrors().get(result) ?? String(result);
  const taken = code === 'EADDRINUSE' ? '; another program listens there: stop it, or choose another port' : '';
  throw new Error(`${address} cannot be listened on (${code})${taken}`);
}

function namesOfErrors(): Map<number, string> {
  return new Map([...getSystemErrorMap()].map(([number, [name]]) => [number, name]));
}
