import { showEndpoint } from '../../shared/endpoints.ts';

export const command = showEndpoint('batch-endpoint');
