import { inheritedListener, serviceAddress, type Environment } from '@mooring/config';

export interface RegistryConfig {
  address: string;
  listenFd?: number | undefined;
  authAddress: string;
}

/** Settings: MOORING_DATA, MOORING_REGISTRY_ADDRESS, MOORING_AUTH_ADDRESS. */
export function readRegistryConfig(environment: Environment): RegistryConfig {
  return {
    address: serviceAddress('registry', environment),
    listenFd: inheritedListener('registry', environment),
    authAddress: serviceAddress('auth', environment),
  };
}
