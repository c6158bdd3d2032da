import { expect, it } from 'vitest';
import { readControllerConfig } from './config.ts';

it('finds its neighbours by their sockets in the data folder', () => {
  expect(readControllerConfig({ MOORING_DATA: '/d' })).toMatchObject({
    address: 'unix:/d/run/controller.sock',
    registryAddress: 'unix:/d/run/registry.sock',
    authAddress: 'unix:/d/run/auth.sock',
  });
});

it('takes other addresses and limits from its own variables', () => {
  const config = readControllerConfig({
    MOORING_REGISTRY_ADDRESS: '127.0.0.1:9',
    MOORING_CONTROLLER_NOTICE_MS: '50',
  });
  expect(config).toMatchObject({ registryAddress: '127.0.0.1:9', noticeMs: 50 });
});

it('names every variable that is wrong', () => {
  const wrong = { MOORING_CONTROLLER_NOTICE_MS: '-1', MOORING_CONTROLLER_LOG_BYTES_MAX: 'many' };
  expect(() => readControllerConfig(wrong)).toThrow(
    /MOORING_CONTROLLER_NOTICE_MS[\s\S]*MOORING_CONTROLLER_LOG_BYTES_MAX/,
  );
});
