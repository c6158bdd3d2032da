import type { EventEmitter } from 'node:events';
import type { Deadline, Metadata, ServerUnaryCall } from '@grpc/grpc-js';
import { PerRequestMetricRecorder } from '@grpc/grpc-js/build/src/orca.js';
import type { Call } from './call.ts';

type AuthContext = ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;
// oxlint-disable-next-line typescript/no-explicit-any -- the only signature from which a class can be mixed
type EmitterClass = new (...args: any[]) => EventEmitter;

/** What every call object of grpc-js has beside its messages. A class made of it sets `call` in its constructor. */
export function callSurface<B extends EmitterClass>(Base: B) {
  return class extends Base {
    /** True once the caller is gone or its deadline has passed. */
    cancelled = false;
    call!: Call;

    get metadata(): Metadata {
      return this.call.metadata;
    }

    getPeer(): string {
      return this.call.stream.connection.peer;
    }

    sendMetadata(metadata: Metadata): void {
      this.call.sendMetadata(metadata);
    }

    /** Infinity when the caller named none. */
    getDeadline(): Deadline {
      return this.call.deadlineMs;
    }

    getPath(): string {
      return this.call.method.path;
    }

    getHost(): string {
      return this.call.authority;
    }

    /** Empty: this server speaks no TLS. */
    getAuthContext(): AuthContext {
      return {};
    }

    /** What is recorded goes nowhere, as with grpc-js by default. */
    getMetricsRecorder(): PerRequestMetricRecorder {
      return new PerRequestMetricRecorder();
    }
  };
}
