import type { NativeTensor } from '../native-tensors.ts';

export interface ThreadSetup {
  file: string;
  /** Threads that one run may use. */
  threads: number;
}

export interface ThreadRequest {
  feeds: Readonly<Record<string, NativeTensor>>;
  fetches: readonly string[];
}

export type ThreadAnswer = { outputs: readonly NativeTensor[]; runUs: number } | { error: string; runUs: number };

/** Ends the thread after what it was sent before. */
export type ThreadStop = 'stop';
