import type { Bucket } from '@mooring/messaging';
import type { Act, StoredDocument } from './domain/document.ts';
import type { Resources } from './resources.ts';
import type { SpecChecks } from './spec-checks.ts';
import type { WriteTurn } from './write-turn.ts';

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

/** What the handlers are made of; each takes its part. */
export interface RegistryDeps {
  resources: Resources;
  checks: SpecChecks;
  vault: VariableVault;
  turn: WriteTurn;
  clock: Clock;
}

export function actOf(clock: Clock, principal: string): Act {
  return { principal: principal === '' ? 'unknown' : principal, at: clock.now().toISOString(), uuid: clock.uuid() };
}
