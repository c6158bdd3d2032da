import { createEndpoint } from '../../shared/endpoints.ts';

export const command = createEndpoint(
  'online-endpoint',
  'Traffic that the file does not speak of stays as it is.',
  'key',
);
