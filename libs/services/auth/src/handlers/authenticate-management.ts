import type { AuthenticateManagementRequest, AuthenticateManagementResponse } from '@mooring/contracts/auth';
import { PlatformError } from '@mooring/errors';
import type { AdminCheck } from '../secrets/admin-token.ts';

export function createAuthenticateManagement(isAdmin: AdminCheck) {
  return ({ token }: AuthenticateManagementRequest): AuthenticateManagementResponse => {
    if (isAdmin(token)) return { principal: 'admin' };
    throw new PlatformError(
      'unauthenticated',
      'MANAGEMENT_TOKEN_INVALID',
      token === ''
        ? 'a management token is needed: send it as a bearer token (MOORING_TOKEN for the command line)'
        : 'the management token is not valid; the right one is in secrets/admin.token of the data folder',
    );
  };
}
