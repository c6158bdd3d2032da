import { getCredentials } from '../../shared/endpoints.ts';

export const command = getCredentials('batch-endpoint');
