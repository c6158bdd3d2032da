import { randomBytes } from 'node:crypto';
import { readOrMakeSecretFile, readSecretFile } from './secret-file.ts';

const masterKeyBytes = 32;

export interface MasterKeySource {
  /** The key itself, base64 or hex: MOORING_MASTER_KEY. */
  masterKey?: string | undefined;
  /** A file that the operator keeps: MOORING_MASTER_KEY_FILE. */
  masterKeyFile?: string | undefined;
  /** Made at the first start when the operator names neither. */
  ownFile: string;
}

/** The operator's master key, 32 bytes. Throws, saying how to mend it, when it is missing, malformed or open to others. */
export function loadMasterKey(source: MasterKeySource): Buffer {
  if (source.masterKey !== undefined) return parse(Buffer.from(source.masterKey, 'utf8'), 'MOORING_MASTER_KEY');
  if (source.masterKeyFile !== undefined) {
    const bytes = readSecretFile(source.masterKeyFile);
    if (bytes === undefined) {
      throw new Error(`MOORING_MASTER_KEY_FILE names ${source.masterKeyFile}, which does not exist`);
    }
    return parse(bytes, source.masterKeyFile);
  }
  return parse(
    readOrMakeSecretFile(source.ownFile, () => randomBytes(masterKeyBytes)),
    source.ownFile,
  );
}

/** 32 raw bytes, or their text as base64, base64url or hex. */
function parse(bytes: Buffer, where: string): Buffer {
  if (bytes.length === masterKeyBytes) return bytes;
  const text = bytes.toString('utf8').trim();
  const decoded = /^[0-9a-fA-F]{64}$/.test(text)
    ? Buffer.from(text, 'hex')
    : /^[-_+/A-Za-z0-9]{43}=?$/.test(text)
      ? Buffer.from(text, 'base64')
      : undefined;
  if (decoded?.length === masterKeyBytes) return decoded;
  throw new Error(
    `the master key in ${where} is not ${masterKeyBytes} bytes (raw, base64 or hex); make one with: openssl rand -base64 32`,
  );
}
