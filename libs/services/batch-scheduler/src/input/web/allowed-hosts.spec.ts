import { describe, expect, it } from 'vitest';
import { readAllowedHosts } from './allowed-hosts.ts';

const hosts = readAllowedHosts('data.example.org, *.blob.test ,10.0.0.5:8080,[::1]:9000,localhost:81');

describe('hosts that inputs may be fetched from', () => {
  it.each([
    'https://data.example.org/a.csv',
    'http://DATA.example.org/a.csv',
    'https://data.example.org:443/',
    'https://one.blob.test/x',
    'https://a.b.blob.test/x',
    'http://10.0.0.5:8080/x',
    'http://[::1]:9000/x',
    'http://localhost:81/',
  ])('are those that are listed: %s', (url) => {
    expect(hosts.allows(new URL(url))).toBe(true);
  });

  it.each([
    'https://example.org/',
    'https://data.example.org.evil.test/',
    'https://xdata.example.org/',
    'https://blob.test/',
    'https://xblob.test/',
    'https://data.example.org:8443/',
    'http://10.0.0.5/',
    'http://10.0.0.6:8080/',
    'http://localhost/',
    'http://2130706433/',
    'ftp://data.example.org/',
    'file:///etc/passwd',
    'http://169.254.169.254/latest/meta-data',
  ])('are no others: %s', (url) => {
    expect(hosts.allows(new URL(url))).toBe(false);
  });

  it('are none when nothing is listed', () => {
    expect(readAllowedHosts('').allows(new URL('https://data.example.org/'))).toBe(false);
    expect(readAllowedHosts(' , ').allows(new URL('https://data.example.org/'))).toBe(false);
  });

  it.each(['127.0.0.1', '127.9.9.9', '0.0.0.0', '169.254.169.254', '224.0.0.1', '::', 'fe80::1', '::ffff:127.0.0.1'])(
    'do not lead to this machine or its link: %s',
    (address) => {
      expect(hosts.allowsAddress(new URL('https://data.example.org/'), address)).toBe(false);
    },
  );

  it.each([
    ['data.example.org', '93.184.215.14'],
    ['data.example.org', '10.1.2.3'],
    ['data.example.org', '2606:2800::1'],
    ['data.example.org:9000', '::1'],
    ['localhost:81', '127.0.0.1'],
  ])('may lead to others, and to those that are listed: %s at %s', (host, address) => {
    expect(hosts.allowsAddress(new URL(`http://${host}/`), address)).toBe(true);
  });

  it('lead to an address of this machine only at the port that is listed with it', () => {
    const own = readAllowedHosts('127.0.0.1:8080,*.example.org,*.example.org:8080');
    expect(own.allowsAddress(new URL('http://a.example.org:8080/'), '127.0.0.1')).toBe(true);
    expect(own.allowsAddress(new URL('http://a.example.org/'), '127.0.0.1')).toBe(false);
  });

  it.each(['*', '*.*', 'http://x', 'a b', 'a/b', 'a:99999', 'user@host', '*.', ':80', 'a,*b'])(
    'are refused where they are none: %j',
    (text) => {
      expect(() => readAllowedHosts(text)).toThrow('is no host');
    },
  );
});
