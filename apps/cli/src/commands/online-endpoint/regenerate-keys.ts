import { regenerateKeys } from '../../shared/endpoints.ts';

export const command = regenerateKeys('online-endpoint');
