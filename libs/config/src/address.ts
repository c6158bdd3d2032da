const loopbackHost = /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/;

/** True when only this machine reaches the address `host:port`. */
export function isLoopback(address: string): boolean {
  return loopbackHost.test(hostOf(address));
}

/** `host:port` in parts; brackets of an IPv6 address are taken off. */
export function parseAddress(address: string): { host: string; port: number } {
  const port = Number(/:(\d+)$/.exec(address)?.[1] ?? 0);
  return { host: hostOf(address).replace(/^\[|\]$/g, ''), port };
}

function hostOf(address: string): string {
  return address.replace(/:\d+$/, '');
}
