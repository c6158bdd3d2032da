import { endpointKindOf, type DeploymentKind, type EndpointKind } from '@mooring/domain';
import { notYet } from './domain/refusal.ts';
import { createAuditEvents } from './handlers/audit-events.ts';
import {
  assetCollections,
  createGetContainer,
  createListContainers,
  createListVersions,
  createPutContainer,
  versionNames,
} from './handlers/assets.ts';
import { createCheckCode, createCheckData, createCheckEnvironment, createCheckModel } from './handlers/check-assets.ts';
import { createCheckDeployment } from './handlers/check-deployment.ts';
import {
  createGetDeployment,
  createGetLogs,
  createListDeployments,
  createSkus,
  deploymentNames,
} from './handlers/deployments.ts';
import {
  createListEndpoints,
  createListInstances,
  createListKeys,
  createMirrorReport,
  createRegenerateKeys,
  createRevisions,
  endpointNames,
} from './handlers/endpoints.ts';
import { createExplainRequest } from './handlers/explain-request.ts';
import {
  createCancelJob,
  createGetJob,
  createGetJobLogs,
  createListJobs,
  createListJobsOf,
  createResumeJob,
  createVerifyJob,
  verifyDeadlineMs,
} from './handlers/jobs.ts';
import { createOperationResult, createOperationStatus } from './handlers/operations.ts';
import { createPatch } from './handlers/patch.ts';
import { createDelete, createGet, createPut } from './handlers/resource.ts';
import { createStartPendingUpload } from './handlers/start-pending-upload.ts';
import { getWorkspace } from './handlers/workspace.ts';
import type { Handler } from './http/call.ts';
import type { ManagementPorts } from './ports.ts';
import type { UploadGrants } from './upload-grants.ts';

export type Method = 'GET' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';

export interface Route {
  method: Method;
  /** Parameters as `:name`; compared without regard to case. */
  path: string;
  handle: Handler;
  /** What it does, for the audit, as Azure names actions; absent where it changes and gives away nothing. */
  action?: string;
  /** How long the answer may be waited for, where that is longer than a connection may be silent otherwise. */
  answersWithinMs?: number;
}

export interface RouteDeps {
  ports: ManagementPorts;
  grants: UploadGrants;
  uuid: () => string;
}

const provider = 'providers/Microsoft.MachineLearningServices';
const workspace = `/subscriptions/:subscription/resourceGroups/:resourceGroup/${provider}/workspaces/:workspace`;
const operations = `/subscriptions/:subscription/${provider}/locations/:location`;

const endpointCollections: Readonly<Record<EndpointKind, string>> = {
  'online-endpoint': 'onlineEndpoints',
  'batch-endpoint': 'batchEndpoints',
};

const unchecked = <S>(spec: S): Promise<S> => Promise.resolve(spec);

/** Every path of the control plane that is there (azureml-contract 3.3). */
export function createRoutes(deps: RouteDeps): Route[] {
  const { ports } = deps;
  return [
    { method: 'GET', path: workspace, handle: getWorkspace },
    ...endpointRoutes(deps, 'online-endpoint'),
    ...deploymentRoutes(ports, 'online-deployment'),
    ...onlineRoutes(ports),
    ...endpointRoutes(deps, 'batch-endpoint'),
    ...deploymentRoutes(ports, 'batch-deployment'),
    ...assetRoutes(deps),
    ...jobRoutes(ports),
    { method: 'GET', path: `${workspace}/auditEvents`, handle: createAuditEvents(ports) },
    { method: 'GET', path: `${workspace}/requests/:request`, handle: createExplainRequest(ports) },
    { method: 'GET', path: `${operations}/mfeOperationsStatus/:operation`, handle: createOperationStatus(ports) },
    { method: 'GET', path: `${operations}/mfeOperationsResults/:operation`, handle: createOperationResult(ports) },
  ];
}

function endpointRoutes({ ports, uuid }: RouteDeps, kind: EndpointKind): Route[] {
  const collection = endpointCollections[kind];
  const path = `${workspace}/${collection}`;
  const one = `${path}/:endpoint`;
  const action = (what: string): string => `${collection}/${what}`;
  return [
    { method: 'GET', path, handle: createListEndpoints(ports, kind) },
    { method: 'GET', path: one, handle: createGet(ports, kind, endpointNames) },
    { method: 'PUT', path: one, handle: createPut(ports, kind, endpointNames, unchecked), action: action('write') },
    { method: 'PATCH', path: one, handle: createPatch(ports, kind, endpointNames, unchecked), action: action('write') },
    { method: 'DELETE', path: one, handle: createDelete(ports, kind, endpointNames), action: action('delete') },
    { method: 'POST', path: `${one}/listKeys`, handle: createListKeys(ports, kind), action: action('listKeys/action') },
    {
      method: 'POST',
      path: `${one}/regenerateKeys`,
      handle: createRegenerateKeys(ports, kind, uuid),
      action: action('regenerateKeys/action'),
    },
    { method: 'GET', path: `${one}/revisions`, handle: createRevisions(ports, kind, endpointNames) },
  ];
}

/** What only endpoints that answer at once have. */
function onlineRoutes(ports: ManagementPorts): Route[] {
  const endpoint = `${workspace}/onlineEndpoints/:endpoint`;
  const deployment = `${endpoint}/deployments/:deployment`;
  return [
    {
      method: 'POST',
      path: `${endpoint}/token`,
      handle: () => {
        throw notYet('token authentication of online endpoints (token)');
      },
      action: 'onlineEndpoints/token/action',
    },
    { method: 'GET', path: `${endpoint}/mirrorReport`, handle: createMirrorReport(ports) },
    { method: 'GET', path: `${endpoint}/instances`, handle: createListInstances(ports) },
    { method: 'POST', path: `${deployment}/getLogs`, handle: createGetLogs(ports) },
    { method: 'GET', path: `${deployment}/skus`, handle: createSkus(ports) },
    { method: 'GET', path: `${deployment}/instances`, handle: createListInstances(ports) },
  ];
}

function deploymentRoutes(ports: ManagementPorts, kind: DeploymentKind): Route[] {
  const collection = endpointCollections[endpointKindOf[kind]];
  const path = `${workspace}/${collection}/:endpoint/deployments`;
  const one = `${path}/:deployment`;
  const check = createCheckDeployment(ports, kind);
  const get = kind === 'online-deployment' ? createGetDeployment(ports) : createGet(ports, kind, deploymentNames);
  const write = `${collection}/deployments/write`;
  return [
    { method: 'GET', path, handle: createListDeployments(ports, kind) },
    { method: 'GET', path: one, handle: get },
    { method: 'PUT', path: one, handle: createPut(ports, kind, deploymentNames, check), action: write },
    { method: 'PATCH', path: one, handle: createPatch(ports, kind, deploymentNames, check), action: write },
    {
      method: 'DELETE',
      path: one,
      handle: createDelete(ports, kind, deploymentNames),
      action: `${collection}/deployments/delete`,
    },
    { method: 'GET', path: `${one}/revisions`, handle: createRevisions(ports, kind, deploymentNames) },
  ];
}

function assetRoutes({ ports, grants, uuid }: RouteDeps): Route[] {
  const puts: Readonly<Record<keyof typeof assetCollections, Handler>> = {
    models: createPut(ports, 'model', versionNames, createCheckModel(ports)),
    environments: createPut(ports, 'environment', versionNames, createCheckEnvironment(ports)),
    codes: createPut(ports, 'code', versionNames, createCheckCode(ports)),
    data: createPut(ports, 'data', versionNames, createCheckData(ports)),
    components: createPut(ports, 'component', versionNames, unchecked),
  };
  return (Object.keys(assetCollections) as (keyof typeof assetCollections)[]).flatMap((collection): Route[] => {
    const kind = assetCollections[collection];
    const container = `${workspace}/${collection}/:name`;
    const version = `${container}/versions/:version`;
    const action = (what: string): string => `${collection}/versions/${what}`;
    return [
      { method: 'GET', path: `${workspace}/${collection}`, handle: createListContainers(ports, collection) },
      { method: 'GET', path: container, handle: createGetContainer(ports, collection) },
      {
        method: 'PUT',
        path: container,
        handle: createPutContainer(ports, collection),
        action: `${collection}/write`,
      },
      {
        method: 'DELETE',
        path: container,
        handle: () => {
          throw notYet('deleting an asset with all its versions (delete its versions one by one)');
        },
        action: `${collection}/delete`,
      },
      { method: 'GET', path: `${container}/versions`, handle: createListVersions(ports, kind) },
      { method: 'GET', path: version, handle: createGet(ports, kind, versionNames) },
      { method: 'PUT', path: version, handle: puts[collection], action: action('write') },
      { method: 'DELETE', path: version, handle: createDelete(ports, kind, versionNames), action: action('delete') },
      {
        method: 'POST',
        path: `${version}/startPendingUpload`,
        handle: createStartPendingUpload(grants, kind, uuid),
        action: action('startPendingUpload/action'),
      },
    ];
  });
}

function jobRoutes(ports: ManagementPorts): Route[] {
  const path = `${workspace}/jobs`;
  const one = `${path}/:job`;
  const endpoint = `/mferp/managementfrontend${workspace}/batchEndpoints/:endpoint`;
  const jobsOfDeployment = `${endpoint}/deployments/:deployment/jobs`;
  return [
    { method: 'GET', path, handle: createListJobs(ports) },
    { method: 'GET', path: one, handle: createGetJob(ports) },
    {
      method: 'PUT',
      path: one,
      handle: () => {
        throw notYet('jobs of your own making (a batch job is made by a POST to the scoringUri of its endpoint)');
      },
      action: 'jobs/write',
    },
    { method: 'POST', path: `${one}/cancel`, handle: createCancelJob(ports), action: 'jobs/cancel/action' },
    { method: 'POST', path: `${one}/resume`, handle: createResumeJob(ports), action: 'jobs/resume/action' },
    {
      method: 'POST',
      path: `${one}/verify`,
      handle: createVerifyJob(ports),
      answersWithinMs: verifyDeadlineMs + 5_000,
    },
    { method: 'GET', path: `${one}/logs`, handle: createGetJobLogs(ports) },
    { method: 'GET', path: `${endpoint}/jobs`, handle: createListJobsOf(ports, 'batch-endpoint') },
    { method: 'GET', path: jobsOfDeployment, handle: createListJobsOf(ports, 'batch-deployment') },
  ];
}

/** Path prefixes of what comes later, each with the capability that an answer names. */
export const laterPaths: Readonly<Record<string, string>> = {
  [`${workspace}/serverlessEndpoints`]: 'serverless endpoints',
  [`${workspace}/marketplaceSubscriptions`]: 'marketplace subscriptions',
  [`${workspace}/schedules`]: 'schedules',
  [`${workspace}/computes`]: 'compute targets beyond this machine',
  [`${workspace}/datastores`]: 'datastores',
  [`${workspace}/connections`]: 'connections',
  [`${workspace}/featuresets`]: 'feature stores',
  [`/subscriptions/:subscription/resourceGroups/:resourceGroup/${provider}/registries`]: 'shared registries',
  '/subscriptions/:subscription/resourceGroups/:resourceGroup/providers/Microsoft.Insights/autoscaleSettings':
    'automatic scaling',
  '/metadata': "the cloud metadata that Azure's own SDK reads",
  '/discovery': "the discovery of Azure's run history",
  '/history': 'the run history of jobs',
};
