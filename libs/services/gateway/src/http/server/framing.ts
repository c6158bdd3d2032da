import { malformed } from './problems.ts';

export interface Framing {
  readonly contentLength: number | undefined;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
}

/** 15 digits: beyond it a number is no longer exact. */
const lengthRule = /^\d{1,15}$/;
const hostRule = /^[\w.:~!$&'()*+;=%[\]-]*$/;

/**
 * Where a message ends and whether another one may follow. Whatever two readers could understand in two ways is refused:
 * that is how requests are smuggled past a proxy (RFC 9112, 6.1, 6.3 and 11.2).
 */
export function framingOf(headers: Readonly<Record<string, string | undefined>>, minorVersion: 0 | 1): Framing {
  checkHost(headers['host'], minorVersion);
  return {
    contentLength: lengthOf(headers['content-length'], headers['transfer-encoding'], minorVersion),
    keepAlive: keepsAlive(headers['connection'], minorVersion),
    expectsContinue: minorVersion === 1 && headers['expect']?.toLowerCase() === '100-continue',
  };
}

function checkHost(host: string | undefined, minorVersion: 0 | 1): void {
  if (host === undefined) {
    if (minorVersion === 1) throw malformed('it has no Host header');
  } else if (!hostRule.test(host)) throw malformed('its Host header is not a host');
}

function lengthOf(length: string | undefined, coding: string | undefined, minorVersion: 0 | 1): number | undefined {
  if (coding === undefined) {
    if (length === undefined) return 0;
    if (!lengthRule.test(length)) throw malformed('its Content-Length is not a number of bytes');
    return Number(length);
  }
  if (length !== undefined) throw malformed('it has both Content-Length and Transfer-Encoding');
  if (minorVersion === 0) throw malformed('HTTP/1.0 has no Transfer-Encoding');
  if (coding.toLowerCase() !== 'chunked') throw malformed('the only Transfer-Encoding is chunked');
  return undefined;
}

function keepsAlive(connection: string | undefined, minorVersion: 0 | 1): boolean {
  if (connection === undefined) return minorVersion === 1;
  const options = connection
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
  if (options.includes('close')) return false;
  return minorVersion === 1 || options.includes('keep-alive');
}
