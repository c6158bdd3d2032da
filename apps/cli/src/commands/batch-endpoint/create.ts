import { createEndpoint } from '../../shared/endpoints.ts';

export const command = createEndpoint(
  'batch-endpoint',
  'A default deployment that the file does not speak of stays as it is.',
  'aad_token',
);
