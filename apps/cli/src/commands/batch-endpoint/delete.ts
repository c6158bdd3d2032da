import { deleteEndpoint } from '../../shared/endpoints.ts';

export const command = deleteEndpoint('batch-endpoint');
