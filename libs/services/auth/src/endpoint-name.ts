import { endpointNameRule, isEndpointName } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';

/** Refuses what cannot be an endpoint's name. */
export function checkEndpointName(endpoint: string): void {
  if (isEndpointName(endpoint)) return;
  throw PlatformError.invalid('endpoint keys', [
    { path: 'endpoint', problem: 'is not the name of an endpoint', expected: endpointNameRule },
  ]);
}

export function noKeys(endpoint: string): PlatformError {
  return new PlatformError('not_found', 'ENDPOINT_KEYS_NOT_FOUND', `the endpoint '${endpoint}' has no keys`);
}
