import { listEndpoints } from '../../shared/endpoints.ts';

export const command = listEndpoints('batch-endpoint');
