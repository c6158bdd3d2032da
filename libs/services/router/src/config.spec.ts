import { expect, it } from 'vitest';
import { readRouterConfig } from './config.ts';

it('has defaults that need no setting, with its socket in the run folder', () => {
  const config = readRouterConfig({ MOORING_DATA: '/d' });
  expect(config).toMatchObject({ grpc: '127.0.0.1:8081', address: 'unix:/d/run/router.sock', mirrorQueueMax: 64 });
});

it.each(['127.0.0.1:0', 'localhost:8081', '[::1]:8081'])('takes %s, which only this machine reaches', (grpc) => {
  expect(readRouterConfig({ MOORING_ROUTER_GRPC: grpc }).grpc).toBe(grpc);
});

it.each(['0.0.0.0:8081', '[::]:8081', '10.0.0.7:8081', 'localhost.example.org:1', '127.0.0.1.example.org:1'])(
  'refuses %s unless the operator says that clear text is meant',
  (grpc) => {
    expect(() => readRouterConfig({ MOORING_ROUTER_GRPC: grpc })).toThrow(
      /MOORING_ROUTER_GRPC: .*MOORING_ROUTER_INSECURE/,
    );
    expect(readRouterConfig({ MOORING_ROUTER_GRPC: grpc, MOORING_ROUTER_INSECURE: 'true' }).insecure).toBe(true);
  },
);

it.each([
  ['MOORING_ROUTER_GRPC', '8081'],
  ['MOORING_ROUTER_RETRIES_MAX', '-1'],
  ['MOORING_ROUTER_EJECT_BASE_MS', '9999999'],
  ['MOORING_ROUTER_ID', 'a b'],
])('refuses %s=%s and names it', (name, value) => {
  expect(() => readRouterConfig({ [name]: value })).toThrow(name);
});
