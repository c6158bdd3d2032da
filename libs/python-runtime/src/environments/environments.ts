import { existsSync, mkdirSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EnvironmentVersionSpec } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { identify } from '@mooring/runtime';
import type { Logger } from 'pino';
import { buildEnvironment, recordName } from './build-environment.ts';
import { environmentDigest, type EnvironmentPlan } from './environment-plan.ts';
import { planOf } from './environment-source.ts';
import { findInterpreter, type Interpreter, type InterpreterChoice } from './interpreter.ts';
import { takeLock } from './owned-lock.ts';
import { withPipIndex } from './pip-index.ts';
import { cacheName, pruneEnvironments, removeTree, sweepWork, workName } from './prune.ts';
import { buildCancelled, toolEnvironment } from './run-tool.ts';
import { SharedWork, type WorkOptions } from './shared-work.ts';
import { ensureUv, uvPath } from './uv-tool.ts';

export interface EnvironmentsOptions {
  /** The data folder's `environments`. */
  folder: string;
  /** Where uv is kept. Default: the checkout's `.tools`. */
  toolsDir?: string;
  log: Logger;
  /** Where the files of a build context are, by the path that the spec names. Without it, build contexts are refused. */
  localPath?: (path: string) => Promise<string>;
  /** How long one build may take. */
  buildMsMax?: number;
  /** Default: this process's; only what reaching a package index takes is handed on. */
  environment?: Readonly<Record<string, string | undefined>>;
}

export interface PreparedEnvironment {
  interpreter: string;
  /** Digest of the interpreter's version, the requirements and their sources: names the environment. */
  digest: string;
  warnings: readonly string[];
}

export interface Environments {
  /** Builds the environment of `spec`, or finds it. Without a spec: one without packages. Rejects with PlatformError. */
  prepare(
    spec: EnvironmentVersionSpec | undefined,
    options: { onLine: (line: string) => void; signal: AbortSignal },
  ): Promise<PreparedEnvironment>;
  /**
   * Removes environments whose digest is not in `keep` (those that instances run on) and that nobody prepared in the last
   * `unusedMs` (default an hour: one that was just prepared may not be in `keep` yet). Returns their digests.
   */
  prune(keep: Iterable<string>, unusedMs?: number): Promise<string[]>;
}

const buildMsMaxDefault = 30 * 60_000;
const hourMs = 3_600_000;
const checkoutTools = fileURLToPath(new URL('../../../../.tools', import.meta.url));

/**
 * Python environments by what is in them: equal wishes share one read-only folder, across deployments and across
 * processes. They are built by uv in a work folder and appear under their digest when they are whole.
 */
export function createEnvironments(options: EnvironmentsOptions): Environments {
  return new BuiltEnvironments(options);
}

class BuiltEnvironments implements Environments {
  readonly #options: EnvironmentsOptions;
  readonly #toolsDir: string;
  readonly #environment: Record<string, string>;
  readonly #builds = new SharedWork();
  #works = 0;

  constructor(options: EnvironmentsOptions) {
    this.#options = options;
    this.#toolsDir = options.toolsDir ?? checkoutTools;
    this.#environment = toolEnvironment(options.environment ?? process.env);
  }

  async prepare(
    spec: EnvironmentVersionSpec | undefined,
    { onLine, signal }: { onLine: (line: string) => void; signal: AbortSignal },
  ): Promise<PreparedEnvironment> {
    if (signal.aborted) throw buildCancelled();
    const plan = await planOf(spec, this.#options.localPath);
    const python = await this.#interpreter(plan, signal);
    const warnings = [...plan.warnings, ...(python.warning === undefined ? [] : [python.warning])];
    const digest = environmentDigest(plan, `${process.platform} ${process.arch} ${python.version}`);
    for (const warning of warnings) onLine(`note: ${warning}`);
    if (this.#isWhole(digest)) onLine(`environment ${digest.slice(0, 12)} is there already`);
    else await this.#builds.join(digest, (work) => this.#build(digest, plan, python, work), { onLine, signal });
    this.#touch(digest);
    return { interpreter: this.#interpreterOf(digest), digest, warnings };
  }

  async prune(keep: Iterable<string>, unusedMs = hourMs): Promise<string[]> {
    const removed = await pruneEnvironments(this.#options.folder, new Set(keep), unusedMs);
    if (removed.length > 0) this.#options.log.info({ removed }, 'removed environments that nobody uses');
    return removed;
  }

  async #interpreter(plan: EnvironmentPlan, signal: AbortSignal): Promise<InterpreterChoice> {
    const uv = uvPath(this.#toolsDir);
    const options = { environment: this.#environment, uv: existsSync(uv) ? uv : undefined, signal };
    return findInterpreter(plan.pythonVersion, options);
  }

  /** One build of `digest` among all processes: the others wait and find it. */
  async #build(digest: string, plan: EnvironmentPlan, python: Interpreter, wanted: WorkOptions): Promise<void> {
    const { folder, buildMsMax = buildMsMaxDefault } = this.#options;
    const late = AbortSignal.timeout(buildMsMax);
    const signal = AbortSignal.any([wanted.signal, late]);
    mkdirSync(join(folder, workName), { recursive: true, mode: 0o755 });
    try {
      const release = await takeLock(join(folder, `.${digest}.lock`), {
        signal,
        onWait: (owner) => wanted.onLine(`process ${owner.pid} is building this environment; waiting for it`),
        done: () => this.#isWhole(digest),
      });
      if (release !== undefined) await this.#buildLocked(digest, plan, python, { ...wanted, signal }).finally(release);
    } catch (thrown) {
      if (wanted.signal.aborted) throw buildCancelled();
      if (late.aborted) throw tookTooLong(buildMsMax);
      throw thrown;
    }
  }

  async #buildLocked(
    digest: string,
    plan: EnvironmentPlan,
    python: Interpreter,
    { onLine, signal }: WorkOptions,
  ): Promise<void> {
    const { folder, log } = this.#options;
    const target = join(folder, digest);
    const common = { environment: this.#environment, onLine, signal };
    await sweepWork(folder);
    const uv = plan.requirements.length === 0 ? undefined : await ensureUv({ toolsDir: this.#toolsDir, ...common });
    const environment = uv === undefined ? this.#environment : await withPipIndex(this.#environment, signal);
    // What is there is broken, or it would have been taken as it is: its interpreter is gone, for one.
    if (this.#isWhole(digest)) return;
    await removeTree(target);
    const work = this.#workPath(digest);
    try {
      await buildEnvironment(work, target, {
        ...common,
        plan,
        python,
        uv,
        environment,
        cacheDir: join(folder, cacheName),
      });
      log.info({ digest, requirements: plan.requirements.length }, 'built an environment');
    } finally {
      await removeTree(work);
    }
  }

  #isWhole(digest: string): boolean {
    return existsSync(join(this.#options.folder, digest, recordName)) && existsSync(this.#interpreterOf(digest));
  }

  #interpreterOf(digest: string): string {
    return join(this.#options.folder, digest, 'bin', 'python');
  }

  #workPath(digest: string): string {
    this.#works += 1;
    const startTicks = identify(process.pid)?.startTicks ?? 0;
    return join(this.#options.folder, workName, `${digest}.${process.pid}.${startTicks}.${this.#works}`);
  }

  /** Its last use, for `prune`. */
  #touch(digest: string): void {
    const now = new Date();
    utimesSync(join(this.#options.folder, digest, recordName), now, now);
  }
}

function tookTooLong(limitMs: number): PlatformError {
  const message = `building the environment took longer than ${Math.round(limitMs / 60_000)} minutes and was ended`;
  return new PlatformError('failed_precondition', 'ENVIRONMENT_BUILD_FAILED', message);
}
