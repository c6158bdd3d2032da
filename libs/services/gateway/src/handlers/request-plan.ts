import type { Header } from '@mooring/contracts/scoring';
import { explainHeader, wantsDecision } from '@mooring/telemetry';
import { askedText } from '../access-line.ts';
import { endpointOfHost, parseTarget } from '../domain/path.ts';
import {
  bearerKey,
  clientRequestId,
  forwardedHeaders,
  idempotencyKey,
  inferenceHeaderLengthPlusOne,
  pinnedDeployment,
  traceparentOf,
} from '../domain/request-headers.ts';
import { matchRoute, type Dialect, type Route } from '../domain/routes.ts';
import type { RequestHead } from '../http/server/request-head.ts';

/** What a head asks for. Callers that keep their connection repeat their heads, so it is worked out once for each. */
export interface RequestPlan {
  readonly clientRequestId: string;
  readonly query: string;
  readonly route: Route;
  /** Method and route, as they stand in the access line. */
  readonly asked: string;
  /** As the caller sent it, when it is one; else empty. */
  readonly traceparent: string;
  /** The key of the Authorization header, if that has one. */
  readonly key: string | undefined;
  /** The caller wants to be told how its request was decided. */
  readonly explain: boolean;
  /** That the key opened the route's endpoint. */
  opened: object | undefined;
  /** What the model is told; looked at only once the caller is known. */
  call: CallPlan | undefined;
}

export interface CallPlan {
  readonly deployment: string;
  readonly contentType: string;
  readonly inferenceHeaderLengthPlusOne: number;
  /** Empty when the caller sent none. */
  readonly idempotencyKey: string;
  readonly headers: Header[];
}

interface PlannedTarget {
  query: string;
  route: Route;
}

/** Paths that were taken apart before. Callers can make up paths, so there is room for a few only. */
const targetsMax = 1_024;
const targetLengthMax = 256;

export class RequestPlanner {
  readonly #domain: string | undefined;
  readonly #targets = new Map<string, PlannedTarget>();

  constructor(domain: string | undefined) {
    this.#domain = domain;
  }

  /** The plan of a head. Throws `invalid_argument` and `headers_too_large`. */
  plan(head: RequestHead): RequestPlan {
    const known = head.notes as RequestPlan | undefined;
    if (known !== undefined) return known;
    const { headers } = head;
    const id = clientRequestId(headers);
    const { query, route } = this.#target(head);
    const plan: RequestPlan = {
      clientRequestId: id,
      query,
      route,
      asked: askedText(head.method, route.template),
      traceparent: traceparentOf(headers),
      key: bearerKey(headers),
      explain: wantsDecision(headers[explainHeader]),
      opened: undefined,
      call: undefined,
    };
    head.notes = plan;
    return plan;
  }

  #target({ target, headers }: RequestHead): PlannedTarget {
    const endpoint = endpointOfHost(headers['host'], this.#domain);
    if (endpoint !== undefined) return planTarget(target, endpoint);
    const known = this.#targets.get(target);
    if (known !== undefined) return known;
    const planned = planTarget(target, undefined);
    if (target.length <= targetLengthMax) {
      if (this.#targets.size >= targetsMax) this.#targets.clear();
      this.#targets.set(target, planned);
    }
    return planned;
  }
}

function planTarget(target: string, hostEndpoint: string | undefined): PlannedTarget {
  const { segments, query } = parseTarget(target);
  return { query, route: matchRoute(segments, hostEndpoint) };
}

/** In whose words a request that has no route yet is refused: a broken OIP path gets an OIP error. */
export function dialectOf(target: string): Dialect {
  return /^\/(endpoints\/[^/]*\/)?v2(\/|$|\?)/.test(target) ? 'oip' : 'azure';
}

/** What the model is told of a head. Throws `invalid_argument` and `not_found`. */
export function callPlan(plan: RequestPlan, { headers, rawHeaders }: RequestHead): CallPlan {
  plan.call ??= {
    deployment: pinnedDeployment(headers, plan.route.version),
    contentType: headers['content-type'] ?? '',
    inferenceHeaderLengthPlusOne: inferenceHeaderLengthPlusOne(headers),
    idempotencyKey: idempotencyKey(headers, rawHeaders),
    headers: forwardedHeaders(rawHeaders),
  };
  return plan.call;
}
