import type { TraceSpan } from '@mooring/telemetry';
import type { PlatformError } from '@mooring/errors';
import type { ScoreReply } from '@mooring/scoring-stream';
import type { Dialect, Route } from './domain/routes.ts';
import type { Marks, StageTimes } from './domain/stage-times.ts';
import type { HeldBytes } from './http/read-body.ts';
import type { HttpRequest, RequestOwner } from './http/server/http-request.ts';
import type { RequestHead } from './http/server/request-head.ts';
import type { EndpointMeters } from './meters.ts';
import type { EndpointEntry } from './ports.ts';

/** Told of an exchange's end. */
export interface ExchangeObserver {
  finished(exchange: Exchange): void;
}

/** One request and what is known of it so far; the handlers fill it in, the observer reads it at the end. */
export class Exchange implements RequestOwner {
  readonly request: HttpRequest;
  readonly head: RequestHead;
  /** Our own id; the caller's does not replace it (azureml-contract 4.2). */
  readonly requestId: string;
  readonly held: HeldBytes;
  readonly #observer: ExchangeObserver;
  readonly beganAtMs: number = Date.now();
  readonly marks: Marks = {
    began: performance.now(),
    authenticated: undefined,
    bodyRead: undefined,
    answered: undefined,
    ended: 0,
  };
  route: Route | undefined;
  query = '';
  /** Method and route, as they stand in the access line. */
  asked = '';
  dialect: Dialect = 'azure';
  clientRequestId = '';
  /** The caller wants to be told how it was decided. */
  explain = false;
  endpoint: EndpointEntry | undefined;
  /** Set with the endpoint: from then on it counts as in flight. */
  meters: EndpointMeters | undefined;
  span: TraceSpan | undefined;
  reply: ScoreReply | undefined;
  /** As they were told to the caller; the writing of the answer comes on top. */
  stages: StageTimes | undefined;
  status = 0;
  error: PlatformError | undefined;
  bytesIn = 0;
  bytesOut = 0;
  /** The connection closed before the answer was out. */
  callerGone = false;

  constructor(request: HttpRequest, requestId: string, held: HeldBytes, observer: ExchangeObserver) {
    this.request = request;
    this.head = request.head;
    this.requestId = requestId;
    this.held = held;
    this.#observer = observer;
    request.owner = this;
  }

  closed(delivered: boolean): void {
    this.callerGone = !delivered;
    this.#observer.finished(this);
  }

  /** Aborts when the caller is gone. */
  get signal(): AbortSignal {
    return this.request.signal;
  }
}
