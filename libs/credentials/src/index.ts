export { OpenedKeys } from './opened-keys.ts';
export { keyVerifier, verifyKey } from './verify-key.ts';
export { credentialsBucket, credentialsKey, watchCredentials, type Credentials } from './watch-credentials.ts';
