import type { PrepareBatchRequest, PrepareBatchResponse } from '@mooring/contracts/controller';
import { notFound, type BatchLaunch } from '@mooring/domain';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import type { PreparationLog, Registry } from '../ports.ts';
import { DeploymentFailure } from '../reconcile/deployment-failure.ts';
import type { BatchParts } from '../reconcile/prepare-batch.ts';
import type { PrepareContext } from '../reconcile/prepare-runtime.ts';

export interface PrepareBatchCallDeps {
  registry: Pick<Registry, 'get'>;
  preparationLog: Pick<PreparationLog, 'write'>;
  prepare: (spec: BatchParts, context: PrepareContext) => Promise<BatchLaunch>;
  /** Told of each launch: what jobs run with must not be tidied away. */
  used: (launch: BatchLaunch) => void;
}

/** The versions are the job's; variables and limits are what the deployment's document says now. */
export function createPrepareBatch({ registry, preparationLog, prepare, used }: PrepareBatchCallDeps) {
  return async (request: PrepareBatchRequest, { signal }: { signal: AbortSignal }): Promise<PrepareBatchResponse> => {
    check(request);
    const { endpoint, deployment, model, code, scoringScript, environment } = request;
    const stored = await registry.get('batch-deployment', `${endpoint}/${deployment}`);
    if (stored === undefined) throw notFound('batch-deployment', `${endpoint}/${deployment}`);
    if (stored.spec.type === 'pipeline') {
      const message = `'${stored.key}' is a pipeline deployment; its steps are prepared one by one`;
      throw new PlatformError('failed_precondition', 'IS_A_PIPELINE', message);
    }
    const { environmentVariables, properties } = stored.spec;
    const parts: BatchParts = {
      model,
      environmentVariables,
      properties,
      ...(code === '' ? {} : { code: { codeKey: code, scoringScript } }),
      ...(environment === '' ? {} : { environment }),
    };
    const line = (text: string): void => preparationLog.write(endpoint, deployment, text);
    const launch = await prepare(parts, { step: line, line, signal }).catch(rethrow);
    used(launch);
    return { launchJson: JSON.stringify(launch) };
  };
}

function check({ endpoint, deployment, model, code, scoringScript }: PrepareBatchRequest): void {
  const problems: FieldProblem[] = Object.entries({ endpoint, deployment, model })
    .filter(([, value]) => value === '' || (value === model) !== /^[^/]+\/[^/]+$/.test(value))
    .map(([path]) => ({ path, problem: 'is not allowed', expected: path === 'model' ? 'name/version' : 'a name' }));
  if ((code === '') !== (scoringScript === '')) {
    problems.push({ path: 'scoring_script', problem: 'stands alone', expected: 'code beside it, or neither' });
  }
  if (problems.length > 0) throw PlatformError.invalid('prepare a batch job', problems);
}

/** With Azure's code as the reason. */
function rethrow(thrown: unknown): never {
  const { code, message, retryable } = DeploymentFailure.from(thrown);
  throw new PlatformError(retryable ? 'unavailable' : 'failed_precondition', code, message, { cause: thrown });
}
