import { PlatformError } from '@mooring/errors';
import type { ResourceKind } from './resource.ts';

const reasons: Readonly<Record<ResourceKind, string>> = {
  'online-endpoint': 'ENDPOINT_NOT_FOUND',
  'online-deployment': 'DEPLOYMENT_NOT_FOUND',
  'batch-endpoint': 'ENDPOINT_NOT_FOUND',
  'batch-deployment': 'DEPLOYMENT_NOT_FOUND',
  model: 'MODEL_NOT_FOUND',
  environment: 'ENVIRONMENT_NOT_FOUND',
  code: 'CODE_NOT_FOUND',
  data: 'DATA_NOT_FOUND',
  component: 'COMPONENT_NOT_FOUND',
};

/** `online deployment` */
export function kindWords(kind: ResourceKind): string {
  return kind.replace('-', ' ');
}

export function notFound(kind: ResourceKind, key: string): PlatformError {
  const shown = key.length > 100 ? `${key.slice(0, 100)}...` : key;
  return new PlatformError('not_found', reasons[kind], `there is no ${kindWords(kind)} '${shown}'`);
}
