import { hash, timingSafeEqual } from 'node:crypto';
import type { EndpointCredentialsRecord, KeyVerifier } from '@mooring/domain';

/**
 * Which of the endpoint's two keys was presented, or undefined. Both are always compared, in constant time, so the
 * answer's timing tells neither a key nor which slot it is in.
 */
export function verifyKey(
  record: EndpointCredentialsRecord,
  presentedKey: string,
): 'primary' | 'secondary' | undefined {
  const primary = matches(record.primary, presentedKey);
  const secondary = matches(record.secondary, presentedKey);
  if (primary) return 'primary';
  return secondary ? 'secondary' : undefined;
}

/** The verifier of a key: SHA-256 over salt and key. The salt is 16 random bytes, new for each key. */
export function keyVerifier(key: string, salt: Uint8Array): KeyVerifier {
  return {
    saltBase64: Buffer.from(salt).toString('base64'),
    sha256Base64: hash('sha256', salted(salt, key), 'base64'),
  };
}

function matches(verifier: KeyVerifier, presentedKey: string): boolean {
  const wanted = Buffer.from(verifier.sha256Base64, 'base64');
  const given = hash('sha256', salted(Buffer.from(verifier.saltBase64, 'base64'), presentedKey), 'buffer');
  return wanted.length === given.length && timingSafeEqual(wanted, given);
}

function salted(salt: Uint8Array, key: string): Buffer {
  return Buffer.concat([salt, Buffer.from(key, 'utf8')]);
}
