import { describe, expect, it } from 'vitest';
import { readManagementConfig } from './config.ts';

describe('settings', () => {
  it('have defaults that lie in the data folder', () => {
    const config = readManagementConfig({ MOORING_DATA: '/d' });
    expect(config).toMatchObject({
      artifacts: '/d/artifacts',
      registryAddress: 'unix:/d/run/registry.sock',
      authAddress: 'unix:/d/run/auth.sock',
      controllerAddress: 'unix:/d/run/controller.sock',
      gatewayFallbackUrl: 'http://127.0.0.1:8080',
    });
    expect(config.own.http).toBe('127.0.0.1:8082');
  });

  it('refuse an address beyond this machine unless it is meant', () => {
    const environment = { MOORING_DATA: '/d', MOORING_MANAGEMENT_HTTP: '0.0.0.0:80' };
    expect(() => readManagementConfig(environment)).toThrow(/clear/);
    expect(readManagementConfig({ ...environment, MOORING_MANAGEMENT_INSECURE: 'true' }).own.http).toBe('0.0.0.0:80');
  });

  it('take the slash off the public address of the gateway', () => {
    const config = readManagementConfig({
      MOORING_DATA: '/d',
      MOORING_GATEWAY_PUBLIC_URL: 'https://models.example.org/',
    });
    expect(config.gatewayPublicUrl).toBe('https://models.example.org');
  });
});
