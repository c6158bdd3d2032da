/** What a process tells its supervisor over IPC. */
export type FromChild =
  /** Its code is in memory, and it waits for `start`. */
  | { type: 'loaded' }
  | ReadyMessage
  /** What must run in one process alone has stopped here. */
  | { type: 'yielded' }
  /** Comes with an idle connection of `server` (`gateway`), for the process that takes over. */
  | ConnectionMessage;

/** What a supervisor tells its process. */
export type ToChild =
  | { type: 'start' }
  /** Another process is about to start: stop what must run alone, serve on with the rest. */
  | { type: 'yield' }
  /** Another process serves now: finish what is open, and end. */
  | { type: 'retire' }
  | ConnectionMessage;

/** Everything in it serves. */
export interface ReadyMessage {
  type: 'ready';
  facts: Readonly<Record<string, string>>;
}

export interface ConnectionMessage {
  type: 'connection';
  server: string;
}
