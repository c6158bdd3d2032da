/** What a path asks for. `template` is the low-cardinality name of the route for spans. */
export interface Route {
  action: Action;
  template: string;
  methods: readonly string[];
  /** Whose words an error is put in: Azure ML's or the Open Inference Protocol's. */
  dialect: Dialect;
  /** As the caller wrote it; undefined where the path names none. */
  endpoint?: string;
  /** OIP: model name and version as the caller wrote them. */
  model?: string;
  version?: string;
  /** Of a batch job, as the caller wrote it. */
  job?: string;
  /** With action `later`: what the path will be for. */
  capability?: string;
}

export type Dialect = 'azure' | 'oip';
export type Action =
  | 'live'
  | 'ready'
  | 'server-metadata'
  | 'endpoint-ready'
  | 'score'
  | 'swagger'
  | 'infer'
  | 'model-metadata'
  | 'model-ready'
  | 'model-config'
  | 'statistics'
  | 'repository-index'
  | 'jobs'
  | 'job'
  | 'later'
  | 'unknown';

/** Whether a path is one of batch endpoints; all others are of online ones. */
export function isOfJobs({ action }: Route): boolean {
  return action === 'jobs' || action === 'job';
}

/** The methods of a route as an Allow header says them. */
export function allowed({ methods }: Route): string {
  return [...methods, 'OPTIONS'].join(', ');
}

const read = ['GET', 'HEAD'] as const;
const write = ['POST'] as const;
const anyMethod = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH'] as const;

type Part = readonly string[];

/** Finds the route of a path; `hostEndpoint` is the endpoint that the host name means, if it means one. */
export function matchRoute(segments: Part, hostEndpoint: string | undefined): Route {
  const [first, second] = segments;
  if (segments.length === 1 && first === 'healthz') return info('live', '/healthz', 'azure');
  if (segments.length === 1 && first === 'readyz') return info('ready', '/readyz', 'azure');
  if (hostEndpoint !== undefined) return endpointRoute(segments, hostEndpoint, '');
  if (first === 'endpoints' && second !== undefined) {
    return endpointRoute(segments.slice(2), second, '/endpoints/{name}');
  }
  if (first === 'v2') return v2Route(segments.slice(1), undefined, '/v2');
  return unknown('/', 'azure');
}

function endpointRoute(rest: Part, endpoint: string, prefix: string): Route {
  const [first] = rest;
  const azure = (action: Action, path: string, methods: Part): Route => {
    return { action, template: `${prefix}${path}`, methods, dialect: 'azure', endpoint };
  };
  if (first === undefined) return azure('endpoint-ready', prefix === '' ? '/' : '', read);
  if (first === 'v2') return v2Route(rest.slice(1), endpoint, `${prefix}/v2`);
  if (rest.length === 1 && first === 'score') return azure('score', '/score', ['POST', 'GET']);
  if (rest.length === 1 && first === 'swagger.json') return azure('swagger', '/swagger.json', read);
  if (rest.length === 1 && first === 'invocations') {
    return { ...azure('later', '/invocations', anyMethod), capability: 'MLflow models (/invocations)' };
  }
  if (first === 'openai')
    return { ...azure('later', '/openai', anyMethod), capability: 'serverless endpoints (/openai)' };
  if (rest.length === 1 && first === 'jobs') return azure('jobs', '/jobs', [...read, ...write]);
  if (rest.length === 2 && first === 'jobs') return { ...azure('job', '/jobs/{job}', read), job: rest[1] as string };
  return { ...unknown(prefix, 'azure'), endpoint };
}

function v2Route(rest: Part, endpoint: string | undefined, prefix: string): Route {
  const named = endpoint === undefined ? {} : { endpoint };
  const oip = (action: Action, path: string, methods: Part = read): Route => {
    return { action, template: `${prefix}${path}`, methods, dialect: 'oip', ...named };
  };
  const path = rest.join('/');
  if (path === '') return oip('server-metadata', '');
  if (path === 'health/live') return oip(endpoint === undefined ? 'live' : 'endpoint-ready', '/health/live');
  if (path === 'health/ready') return oip(endpoint === undefined ? 'ready' : 'endpoint-ready', '/health/ready');
  if (path === 'models/stats') return oip('statistics', '/models/stats');
  if (path === 'repository/index') return oip('repository-index', '/repository/index', write);
  const [first] = rest;
  if (first === 'models' && rest[1] !== undefined) return modelRoute(rest.slice(1), oip);
  const capability = unsupported.get(first ?? '');
  if (capability !== undefined) return { ...oip('later', `/${first}`, anyMethod), capability };
  return { ...unknown(prefix, 'oip'), ...named };
}

/** Triton's extensions that Mooring does not have. */
const unsupported = new Map([
  ['repository', 'loading models by call (use `mooring online-deployment create`)'],
  ['trace', 'trace settings by call (use the OTEL_* variables)'],
  ['logging', 'log settings by call (use MOORING_LOG_LEVEL)'],
  ['systemsharedmemory', 'shared memory'],
  ['cudasharedmemory', 'shared memory'],
]);

const modelActions = new Map<string, { action: Action; methods: Part }>([
  ['', { action: 'model-metadata', methods: read }],
  ['ready', { action: 'model-ready', methods: read }],
  ['config', { action: 'model-config', methods: read }],
  ['stats', { action: 'statistics', methods: read }],
  ['infer', { action: 'infer', methods: write }],
]);
const laterVerbs = new Map([
  ['generate', 'generation (/generate)'],
  ['generate_stream', 'generation (/generate_stream)'],
  ['infer_stream', 'streamed inference over REST (use gRPC ModelStreamInfer)'],
  ['trace', 'trace settings by call (use the OTEL_* variables)'],
]);

function modelRoute(rest: Part, oip: (action: Action, path: string, methods?: Part) => Route): Route {
  const [model = '', ...more] = rest;
  const versioned = more[0] === 'versions' && more[1] !== undefined;
  const after = versioned ? more.slice(2) : more;
  const path = `/models/{model}${versioned ? '/versions/{version}' : ''}`;
  const subject = { model, ...(versioned ? { version: more[1] as string } : {}) };
  const verb = after.join('/');
  const known = modelActions.get(verb);
  const suffix = verb === '' ? '' : `/${verb}`;
  if (known !== undefined) return { ...oip(known.action, `${path}${suffix}`, known.methods), ...subject };
  const capability = laterVerbs.get(after[0] ?? '');
  if (capability !== undefined) return { ...oip('later', `${path}/${after[0]}`, anyMethod), ...subject, capability };
  return { ...oip('unknown', path, anyMethod), ...subject };
}

function info(action: Action, template: string, dialect: Dialect): Route {
  return { action, template, methods: read, dialect };
}

function unknown(template: string, dialect: Dialect): Route {
  return { action: 'unknown', template: `${template}/_other`, methods: anyMethod, dialect };
}
