import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TraceSpan } from '@mooring/telemetry';
import type { PlatformError } from '@mooring/errors';
import type { ScoreReply } from '@mooring/scoring-stream';
import type { Dialect, Route } from './domain/routes.ts';
import type { Marks } from './domain/stage-times.ts';
import type { HeldBytes } from './http/read-body.ts';
import type { EndpointEntry } from './ports.ts';

/** One request and what is known of it so far; the handlers fill it in, the observer reads it at the end. */
export class Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** Our own id; the caller's does not replace it (azureml-contract 4.2). */
  readonly requestId: string;
  readonly held: HeldBytes;
  readonly beganAt: Date = new Date();
  readonly marks: Marks = {
    began: performance.now(),
    authenticated: undefined,
    bodyRead: undefined,
    answered: undefined,
    ended: 0,
  };
  readonly #gone = new AbortController();
  route: Route | undefined;
  query = '';
  dialect: Dialect = 'azure';
  clientRequestId = '';
  endpoint: EndpointEntry | undefined;
  span: TraceSpan | undefined;
  reply: ScoreReply | undefined;
  status = 0;
  error: PlatformError | undefined;
  bytesIn = 0;
  bytesOut = 0;
  callerGone = false;
  /** True once it was added to the gauge of requests in flight. */
  countedInFlight = false;

  constructor(request: IncomingMessage, response: ServerResponse, requestId: string, held: HeldBytes) {
    this.request = request;
    this.response = response;
    this.requestId = requestId;
    this.held = held;
  }

  /** Aborts when the caller is gone. */
  get signal(): AbortSignal {
    return this.#gone.signal;
  }

  /** The connection closed before the answer was out. */
  abandon(): void {
    this.callerGone = true;
    this.#gone.abort();
  }
}
