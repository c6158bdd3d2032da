import type { PrepareBatchRequest, PrepareBatchResponse } from '@mooring/contracts/controller';
import { notFound, type BatchLaunch, type CommandLaunch } from '@mooring/domain';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import type { PreparationLog, Registry } from '../ports.ts';
import { DeploymentFailure } from '../reconcile/deployment-failure.ts';
import type { BatchParts, CommandParts } from '../reconcile/prepare-batch.ts';
import type { PrepareContext } from '../reconcile/prepare-runtime.ts';

export interface PrepareBatchCallDeps {
  registry: Pick<Registry, 'get'>;
  preparationLog: Pick<PreparationLog, 'write'>;
  prepare: (spec: BatchParts, context: PrepareContext) => Promise<BatchLaunch>;
  prepareCommand: (spec: CommandParts, context: PrepareContext) => Promise<CommandLaunch>;
  /** Told of each launch: what jobs run with must not be tidied away. */
  used: (launch: BatchLaunch | CommandLaunch) => void;
}

/** The versions are the job's; variables and limits are what the deployment's document says now. */
export function createPrepareBatch(deps: PrepareBatchCallDeps) {
  const { registry, preparationLog, used } = deps;
  return async (request: PrepareBatchRequest, { signal }: { signal: AbortSignal }): Promise<PrepareBatchResponse> => {
    check(request);
    const { endpoint, deployment, model, code, scoringScript, environment, step } = request;
    const stored = await registry.get('batch-deployment', `${endpoint}/${deployment}`);
    if (stored === undefined) throw notFound('batch-deployment', `${endpoint}/${deployment}`);
    if ((stored.spec.type === 'pipeline') !== (step !== '')) {
      const message = `'${stored.key}' is a deployment of type ${stored.spec.type}; only steps of a pipeline are prepared as steps`;
      throw new PlatformError('failed_precondition', 'OTHER_DEPLOYMENT_TYPE', message);
    }
    const common = {
      // Those of a step are its component's, and the job's own document tells them.
      environmentVariables: stored.spec.type === 'pipeline' ? {} : stored.spec.environmentVariables,
      properties: stored.spec.properties,
      ...(environment === '' ? {} : { environment }),
    };
    const line = (text: string): void => preparationLog.write(endpoint, deployment, text);
    const context = { step: line, line, signal };
    const launch = await (
      step === 'command'
        ? deps.prepareCommand({ ...common, ...(code === '' ? {} : { codeKey: code }) }, context)
        : deps.prepare(
            {
              ...common,
              ...(model === '' ? {} : { model }),
              ...(code === '' ? {} : { code: { codeKey: code, scoringScript } }),
            },
            context,
          )
    ).catch(rethrow);
    used(launch);
    return { launchJson: JSON.stringify(launch) };
  };
}

function check({ endpoint, deployment, model, code, scoringScript, step }: PrepareBatchRequest): void {
  const problems: FieldProblem[] = Object.entries({ endpoint, deployment })
    .filter(([, name]) => name === '' || name.includes('/'))
    .map(([path]) => ({ path, problem: 'is not allowed', expected: 'a name' }));
  if (!(step === '' ? /^[^/]+\/[^/]+$/ : /^$/).test(model)) {
    const expected = step === '' ? 'name/version' : 'nothing for a step';
    problems.push({ path: 'model', problem: 'is not allowed', expected });
  }
  if (!['', 'command', 'parallel'].includes(step))
    problems.push({ path: 'step', problem: 'is not allowed', expected: 'command, parallel or nothing' });
  if (step !== 'command' && (code === '') !== (scoringScript === '')) {
    problems.push({ path: 'scoring_script', problem: 'stands alone', expected: 'code beside it, or neither' });
  }
  if (problems.length > 0) throw PlatformError.invalid('prepare a batch job', problems);
}

/** With Azure's code as the reason. */
function rethrow(thrown: unknown): never {
  const { code, message, retryable } = DeploymentFailure.from(thrown);
  throw new PlatformError(retryable ? 'unavailable' : 'failed_precondition', code, message, { cause: thrown });
}
