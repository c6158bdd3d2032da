import type { Stored } from '@mooring/domain';
import type { OperationReport, Registry } from '../ports.ts';

type Reported = Pick<Stored, 'kind' | 'key' | 'generation'>;

/** Tells the registry how the operations of one resource go; the same step twice in a row is told once. */
export class OperationReports {
  private readonly registry: Pick<Registry, 'report'>;
  private last = '';

  constructor(registry: Pick<Registry, 'report'>) {
    this.registry = registry;
  }

  async progress(of: Reported, progress: Pick<OperationReport, 'step' | 'percentComplete'>): Promise<void> {
    const text = `${of.generation} ${progress.step}`;
    if (progress.step === undefined || text === this.last) return;
    await this.report(of, { status: 'InProgress', ...progress });
    this.last = text;
  }

  /** Something that another try may mend, said as the step. The registry itself may be what cannot be reached. */
  async trouble(of: Reported, message: string): Promise<void> {
    await this.progress(of, { step: `trying again after: ${message}` }).catch(() => {});
  }

  succeeded(of: Reported, warnings: readonly string[] = []): Promise<void> {
    return this.report(of, { status: 'Succeeded', ...(warnings.length === 0 ? {} : { warnings }) });
  }

  failed(of: Reported, error: { code: string; message: string }): Promise<void> {
    return this.report(of, { status: 'Failed', error });
  }

  private report({ kind, key, generation }: Reported, what: Omit<OperationReport, keyof Reported>): Promise<void> {
    return this.registry.report({ kind, key, generation, ...what });
  }
}
