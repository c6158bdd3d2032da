import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig } from '@mooring/config';
import { failedReply } from '@mooring/scoring-stream';
import { PlatformError } from '@mooring/errors';
import { gatewayConfig } from './config.ts';
import { bearer, echo, startTestGateway } from './testing/test-gateway.ts';
import { connectRaw } from './testing/raw-http.ts';

const score = (url: string): Promise<Response> =>
  fetch(`${url}/endpoints/cars/score`, { method: 'POST', body: 'open', headers: bearer });

describe('stopping', () => {
  it('says not ready first, finishes what is open, closes idle connections, takes nothing new', async () => {
    const gateway = await startTestGateway({ drainNoticeMs: 150 });
    let answer: (() => void) | undefined;
    gateway.answer = (call) => new Promise((resolve) => (answer = () => resolve(echo(call))));
    const open = score(gateway.url);
    while (answer === undefined) await new Promise((resolve) => setImmediate(resolve));
    const idle = await connectRaw(gateway.url);
    const stopped = gateway.gateway.stop(AbortSignal.timeout(5_000));
    expect(gateway.gateway.ready()).toBe(false);
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(503);
    expect((await fetch(`${gateway.url}/healthz`)).status).toBe(200);
    await idle.closed();
    await expect(fetch(`${gateway.url}/healthz`)).rejects.toThrow();
    answer();
    const response = await open;
    expect(response.status).toBe(200);
    expect(response.headers.get('connection')).toBe('close');
    expect(await response.text()).toBe('open');
    await stopped;
  });

  it('gives up on what is open when its time is over, and tells the model', async () => {
    const gateway = await startTestGateway();
    let told = false;
    gateway.answer = (_call, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          told = true;
          resolve(failedReply(new PlatformError('cancelled', 'CALLER_GONE', 'gone'), true));
        });
      });
    const open = score(gateway.url).catch((error: unknown) => error);
    while (gateway.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    await gateway.gateway.stop(AbortSignal.timeout(50));
    expect(await open).toBeInstanceOf(Error);
    expect(told).toBe(true);
  });
});

describe('settings', () => {
  it.each(['0.0.0.0:8080', '192.168.1.4:80', '[::]:8080', 'example.org:80'])(
    'refuse %s without the insecure flag',
    (http) => {
      expect(() => readConfig('GATEWAY', gatewayConfig, { MOORING_GATEWAY_HTTP: http })).toThrow(ConfigError);
      const config = readConfig('GATEWAY', gatewayConfig, {
        MOORING_GATEWAY_HTTP: http,
        MOORING_GATEWAY_INSECURE: 'true',
      });
      expect(config.http).toBe(http);
    },
  );

  it.each(['127.0.0.1:0', 'localhost:8080', '[::1]:80'])('take %s', (http) => {
    expect(readConfig('GATEWAY', gatewayConfig, { MOORING_GATEWAY_HTTP: http }).http).toBe(http);
  });

  it('say which variable is wrong', () => {
    expect(() => readConfig('GATEWAY', gatewayConfig, { MOORING_GATEWAY_HTTP: '8080' })).toThrow(
      /MOORING_GATEWAY_HTTP/,
    );
  });
});
