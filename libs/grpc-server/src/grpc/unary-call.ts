import { EventEmitter } from 'node:events';
import { status, type handleUnaryCall, type sendUnaryData, type ServerUnaryCall } from '@grpc/grpc-js';
import { CallError } from './call-error.ts';
import { callSurface } from './call-surface.ts';
import type { Call, CallConsumer } from './call.ts';

/** One message each way. The handler starts when the caller has sent everything. */
export class UnaryCall extends callSurface(EventEmitter) implements ServerUnaryCall<unknown, unknown>, CallConsumer {
  request: unknown;
  #received = false;

  constructor(call: Call) {
    super();
    this.call = call;
  }

  onMessage(message: unknown): void {
    if (this.#received) {
      this.call.fail(tooMany(this.call));
      return;
    }
    this.#received = true;
    this.request = message;
    this.call.read();
  }

  onEnd(): void {
    if (!this.#received) {
      this.call.fail(tooFew(this.call));
      return;
    }
    const reply = replyTo(this.call);
    this.call.run(() => (this.call.method.handler as handleUnaryCall<unknown, unknown>)(this, reply));
  }

  onCancelled(): void {
    this.cancelled = true;
    this.emit('cancelled', 'cancelled');
  }

  onFinished(): void {
    // Nothing to take down.
  }
}

/**
 * The callback of a handler that answers with one message. Until it is called, the call counts against its connection, so
 * that cancelling does not buy more work than the connection may ask for; so a handler calls it also when it was cancelled.
 */
export function replyTo(call: Call): sendUnaryData<unknown> {
  const { connection } = call.stream;
  connection.working += 1;
  call.handling();
  let replied = false;
  return (error, value, trailer) => {
    if (replied) return;
    replied = true;
    connection.working -= 1;
    call.handled();
    if (error) call.fail(error, trailer);
    else call.answer(value, trailer);
  };
}

export function tooMany(call: Call): CallError {
  return new CallError(status.UNIMPLEMENTED, `${call.method.path} takes one message; a second one came`);
}

export function tooFew(call: Call): CallError {
  return new CallError(status.UNIMPLEMENTED, `${call.method.path} takes one message; none came`);
}
