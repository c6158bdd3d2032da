import { buildCancelled } from './run-tool.ts';

export interface WorkOptions {
  onLine: (line: string) => void;
  signal: AbortSignal;
}

interface Running {
  result: Promise<void>;
  abort: AbortController;
  listeners: Set<(line: string) => void>;
  /** The latest lines, for who joins later. */
  said: string[];
}

const saidMax = 100;

/** Work that several ask for at once is done once. It is cancelled when the last who asked has gone. */
export class SharedWork {
  readonly #running = new Map<string, Running>();

  async join(
    key: string,
    work: (options: WorkOptions) => Promise<void>,
    { onLine, signal }: WorkOptions,
  ): Promise<void> {
    const running = this.#running.get(key) ?? this.#start(key, work);
    const listener = (line: string): void => onLine(line);
    for (const line of running.said) listener(line);
    running.listeners.add(listener);
    const gone = Promise.withResolvers<never>();
    const leave = (): void => {
      running.listeners.delete(listener);
      if (running.listeners.size === 0) running.abort.abort();
      gone.reject(buildCancelled());
    };
    if (signal.aborted) leave();
    signal.addEventListener('abort', leave, { once: true });
    try {
      await Promise.race([running.result, gone.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
    }
  }

  #start(key: string, work: (options: WorkOptions) => Promise<void>): Running {
    const abort = new AbortController();
    const listeners = new Set<(line: string) => void>();
    const said: string[] = [];
    const onLine = (line: string): void => {
      said.push(line);
      if (said.length > saidMax) said.shift();
      for (const listener of listeners) listener(line);
    };
    const result = work({ onLine, signal: abort.signal });
    const running = { result, abort, listeners, said };
    const forget = (): void => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    };
    // Nobody new joins what is being cancelled.
    abort.signal.addEventListener('abort', forget, { once: true });
    result.then(forget, forget);
    this.#running.set(key, running);
    return running;
  }
}
