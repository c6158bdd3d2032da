import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { InstanceSpec } from '@mooring/domain';
import { identify, type ProcessIdentity } from '@mooring/runtime';

export interface SpawnOptions {
  /** Program and arguments of the scorer. */
  command: readonly string[];
  spec: InstanceSpec;
  logFile: string;
  /** Files of control groups that the process enters before it becomes the scorer. */
  joinFiles: readonly string[];
  /** The whole environment of the process. */
  environment: Readonly<Record<string, string>>;
}

/**
 * Enters the groups while still a shell, so that nothing that the scorer does escapes them; no core dumps, which would fill
 * the disk with models. `exec` keeps the process id.
 */
const script = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1"; shift; n=$((n-1)); done; ulimit -c 0; exec "$@"';

/**
 * Starts a scorer in its own session, so that it outlives this process and gets no Ctrl-C. Its output goes straight into
 * the file. The spec goes through standard input because it may hold secrets. Throws when it cannot be started.
 */
export function spawnScorer(options: SpawnOptions): { child: ChildProcess; identity: ProcessIdentity } {
  const { joinFiles, command, spec } = options;
  const log = openSync(options.logFile, 'a', 0o600);
  try {
    const child = spawn('/bin/sh', ['-c', script, 'scorer', String(joinFiles.length), ...joinFiles, ...command], {
      cwd: spec.instanceDir,
      env: { ...options.environment },
      detached: true,
      stdio: ['pipe', log, log],
    });
    // Asynchronous failures (no /bin/sh, process ended before it read its spec) show up as its end.
    child.on('error', () => {});
    child.stdin?.on('error', () => {});
    child.stdin?.end(JSON.stringify(spec));
    child.unref();
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error('the scorer process could not be started');
    return { child, identity };
  } finally {
    closeSync(log);
  }
}

/** What a scorer may know of our own environment: where programs are, language, time zone, tracing. No settings, no secrets. */
const passedOn =
  /^(PATH|HOME|LANG|LC_\w+|TZ|TMPDIR|LD_LIBRARY_PATH|SSL_CERT_FILE|SSL_CERT_DIR|OTEL_\w+|MOORING_LOG_LEVEL)$/;

export function scorerEnvironment(
  own: Readonly<Record<string, string | undefined>>,
  extra: Readonly<Record<string, string>>,
): Record<string, string> {
  const kept = Object.entries(own).filter(([name, value]) => value !== undefined && passedOn.test(name));
  return { ...(Object.fromEntries(kept) as Record<string, string>), ...extra };
}
