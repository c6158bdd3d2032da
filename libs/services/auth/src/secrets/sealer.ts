import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { PlatformError } from '@mooring/errors';

/** Encrypts small secrets for storage. What is sealed for one purpose cannot be opened for another. */
export interface Sealer {
  /** `v1.<base64url of nonce, ciphertext and tag>`. */
  seal(plain: Uint8Array, purpose: string): string;
  /** Throws `failed_precondition`/`SEAL_BROKEN` for another key, another purpose or altered text. */
  open(sealed: string, purpose: string): Buffer;
}

const version = 'v1';
const cipher = 'aes-256-gcm';
const nonceBytes = 12;
const tagBytes = 16;

export function createSealer(masterKey: Uint8Array): Sealer {
  const key = Buffer.from(hkdfSync('sha256', masterKey, new Uint8Array(0), 'mooring sealing key v1', 32));
  const bound = (purpose: string): Buffer => Buffer.from(`${version}\0${purpose}`, 'utf8');
  return {
    seal: (plain, purpose) => {
      const nonce = randomBytes(nonceBytes);
      const encrypt = createCipheriv(cipher, key, nonce, { authTagLength: tagBytes });
      encrypt.setAAD(bound(purpose));
      const body = Buffer.concat([nonce, encrypt.update(plain), encrypt.final(), encrypt.getAuthTag()]);
      return `${version}.${body.toString('base64url')}`;
    },
    open: (sealed, purpose) => {
      const [prefix, text = ''] = sealed.split('.', 2);
      const body = Buffer.from(text, 'base64url');
      if (prefix !== version || body.length < nonceBytes + tagBytes) throw broken('it is not in a form known here');
      const decrypt = createDecipheriv(cipher, key, body.subarray(0, nonceBytes), { authTagLength: tagBytes });
      decrypt.setAAD(bound(purpose));
      decrypt.setAuthTag(body.subarray(body.length - tagBytes));
      try {
        return Buffer.concat([decrypt.update(body.subarray(nonceBytes, body.length - tagBytes)), decrypt.final()]);
      } catch {
        // The cause is left out: it holds nothing that a person could act on.
        throw broken('it was sealed under another master key or for another purpose, or it was altered');
      }
    },
  };
}

function broken(why: string): PlatformError {
  return new PlatformError('failed_precondition', 'SEAL_BROKEN', `a sealed secret cannot be opened: ${why}`);
}
