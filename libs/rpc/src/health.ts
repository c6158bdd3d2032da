import type { sendUnaryData, ServerUnaryCall, ServerWritableStream } from '@grpc/grpc-js';
import { status } from '@grpc/grpc-js';
import { HealthService, type HealthCheckRequest, type HealthCheckResponse } from '@mooring/contracts/health';
import type { MountedService } from './server.ts';

const serving = 1;
const notServing = 2;
const serviceUnknown = 3;
/** How often a watcher is told of a change at the latest. */
const watchPeriodMs = 500;
const watchersMax = 100;

/** gRPC health for one server; `''` and any mounted service's name mean the whole server. */
export function healthService(
  ready: () => boolean,
  checks: Readonly<Record<string, () => boolean>>,
  onCheck?: () => void,
): MountedService & { drain(): void } {
  let draining = false;
  const watchers = new Set<() => void>();
  const statusFor = (name: string): 1 | 2 => {
    const check = Object.hasOwn(checks, name) ? checks[name] : ready;
    return !draining && (check?.() ?? false) ? serving : notServing;
  };
  const check = (
    call: ServerUnaryCall<HealthCheckRequest, HealthCheckResponse>,
    reply: sendUnaryData<HealthCheckResponse>,
  ): void => {
    onCheck?.();
    reply(null, { status: statusFor(call.request.service) });
  };
  const watch = (call: ServerWritableStream<HealthCheckRequest, HealthCheckResponse>): void => {
    if (watchers.size >= watchersMax) {
      call.emit('error', { code: status.RESOURCE_EXHAUSTED, details: `more than ${watchersMax} health watchers` });
      return;
    }
    let last: number = serviceUnknown;
    const tell = (): void => {
      const now = statusFor(call.request.service);
      if (now !== last) call.write({ status: now });
      last = now;
    };
    tell();
    const timer = setInterval(tell, watchPeriodMs);
    const end = (): void => {
      clearInterval(timer);
      watchers.delete(finish);
    };
    const finish = (): void => {
      tell();
      end();
      call.end();
    };
    watchers.add(finish);
    call.on('cancelled', end);
  };
  return {
    definition: HealthService,
    implementation: { check, watch },
    drain: () => {
      draining = true;
      for (const finish of watchers) finish();
    },
  };
}
