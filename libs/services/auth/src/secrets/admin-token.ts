import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readOrMakeSecretFile } from './secret-file.ts';

const shortestToken = 16;

/** Checks a presented management token in constant time, whatever its length. */
export type AdminCheck = (token: string) => boolean;

/** The admin token of this data folder, made at the first start; only its hash stays in memory. */
export function loadAdminCheck(file: string): AdminCheck {
  const make = (): Buffer => Buffer.from(`${randomBytes(32).toString('base64url')}\n`, 'utf8');
  const token = readOrMakeSecretFile(file, make).toString('utf8').trim();
  if (token.length < shortestToken) {
    throw new Error(
      `${file} holds fewer than ${shortestToken} characters; remove it, and the next start makes a new one`,
    );
  }
  const wanted = hash('sha256', token, 'buffer');
  return (presented) => timingSafeEqual(wanted, hash('sha256', presented, 'buffer'));
}
