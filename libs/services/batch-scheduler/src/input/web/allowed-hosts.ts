import { BlockList, isIP } from 'node:net';

/** Hosts that inputs may be fetched from, as the operator lists them. */
export interface AllowedHosts {
  allows(url: URL): boolean;
  /** `address` is one that a listed name may lead to: none of this machine or its link, unless it is listed itself, with that port. */
  allowsAddress(url: URL, address: string): boolean;
}

interface Entry {
  /** As URL writes it; without `*` for all names below a domain. */
  hostname: string;
  below: boolean;
  /** Undefined: the scheme's own. */
  port: string | undefined;
}

const local = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 4],
] as const) {
  local.addSubnet(net, bits, 'ipv4');
}
for (const [net, bits] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  local.addSubnet(net, bits, 'ipv6');
}

/**
 * Reads `host`, `host:port`, `*.domain` (names below it, not itself) and addresses, with commas between. Throws where an entry is none
 * of these.
 */
export function readAllowedHosts(text: string): AllowedHosts {
  const entries = text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')
    .map(readEntry);
  return {
    allows: ({ protocol, hostname, port }) => {
      if (protocol !== 'http:' && protocol !== 'https:') return false;
      return entries.some((entry) => {
        const named = entry.below ? hostname.endsWith(entry.hostname) : hostname === entry.hostname;
        return named && portOf(protocol, port) === (entry.port ?? portOf(protocol, ''));
      });
    },
    allowsAddress: ({ protocol, hostname, port }, address) => {
      if (!local.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')) return true;
      const own = isIP(address) === 6 ? `[${address}]` : address;
      return entries.some((entry) => {
        if (entry.below || portOf(protocol, port) !== (entry.port ?? portOf(protocol, ''))) return false;
        return entry.hostname === own || isLocalhost(entry, hostname);
      });
    },
  };
}

/** The one name that everybody knows to be this machine. */
function isLocalhost(entry: Entry, hostname: string): boolean {
  return hostname === 'localhost' && entry.hostname === hostname;
}

function portOf(protocol: string, port: string): string {
  return port === '' ? (protocol === 'https:' ? '443' : '80') : port;
}

function readEntry(text: string): Entry {
  const below = text.startsWith('*.');
  const name = below ? text.slice(1) : text;
  const url = URL.parse(`http://${below ? `x${name}` : name}/`);
  const plain = /^(?:[.]?[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(name);
  if (url === null || !plain) {
    throw new Error(`'${text.slice(0, 100)}' is no host: give data.example.org, *.example.org or 10.0.0.5:8080`);
  }
  const port = /:(\d{1,5})$/.exec(name)?.[1];
  const hostname = below ? url.hostname.slice(1) : url.hostname;
  return { hostname, below, port: port === undefined ? undefined : String(Number(port)) };
}
