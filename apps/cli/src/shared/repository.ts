import { fileURLToPath } from 'node:url';

/** The checkout that this command runs from, without a slash at the end. */
export const repositoryRoot = fileURLToPath(new URL('../../../..', import.meta.url)).replace(/\/$/, '');
export const platformMain = `${repositoryRoot}/apps/platform/src/main.ts`;
