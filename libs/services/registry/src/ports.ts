import type { Bucket } from '@mooring/messaging';
import type { StoredDocument } from './domain/document.ts';

/** Bucket `mooring_resources`: every resource, one document each, the last 20 states of each. */
export type ResourceStore = Bucket<StoredDocument>;

/** How far the running operation of a generation is. */
export interface Progress {
  generation: number;
  step: string;
  percentComplete: number;
  warnings: readonly string[];
}

/**
 * Bucket `mooring_progress`, by the resource's own key. Apart from the documents, so that reports of progress neither
 * push revisions out of the history nor wake those who watch the documents.
 */
export type ProgressStore = Bucket<Progress>;

/** Keeps environment variables unreadable at rest. Rejects with `unavailable` while auth cannot be reached. */
export interface VariableVault {
  seal(storeKey: string, variables: Readonly<Record<string, string>>): Promise<string>;
  open(storeKey: string, sealed: string): Promise<Readonly<Record<string, string>>>;
}

export interface Clock {
  now(): Date;
  uuid(): string;
}
