import type { ModelName } from '../payloads.ts';

/** How the numbers of an answer are found; `none`: it is an echo, or checked by its status alone. */
export type Reading = 'oip' | 'oip-binary' | 'rows' | 'sum' | 'grpc' | 'none';

/** A request that is sent over and over. */
export interface Shot {
  protocol: 'http' | 'grpc';
  host: string;
  port: number;
  path: string;
  headers: Readonly<Record<string, string>>;
  body: Buffer;
  reading: Reading;
}

/** No server: the model runs in a loop in so many processes. */
export interface Loop {
  model: ModelName;
  processes: number;
}

export interface Context {
  /** A folder that is removed in the end. */
  temp: string;
  /** Aborts when the benchmark is to end. */
  signal: AbortSignal;
  say(line: string): void;
  /** For all that is started: files for a while go into the folder that is removed. */
  environment: NodeJS.ProcessEnv;
  modelFile(model: ModelName): string;
  /** Where traces go. */
  tracesUrl: string;
  cache: string;
}

/** Processes that serve one or several rows of the table. */
export interface Host {
  readonly name: string;
  /** Starts what the given rows need: pairs of system and workload. Rejects when it cannot. */
  start(rows: readonly Row[]): Promise<void>;
  /** Roots of its process trees. */
  pids(): number[];
  /** What one of its rows sends. Undefined: it turned out that this build cannot do that. */
  shot(row: Row): Shot | undefined;
  stop(): Promise<void>;
}

export interface Row {
  system: string;
  workload: string;
}

export interface SystemEntry {
  name: string;
  about: string;
  workloads: readonly string[];
  /** Absent: a loop without a server. */
  host?: (context: Context) => Host;
  /** Systems with the same key share one host. */
  hostKey?: string;
  loop?: Pick<Loop, 'processes'>;
  /** Whether it is installed; absent: always. */
  isThere?: (context: Context) => boolean;
}
