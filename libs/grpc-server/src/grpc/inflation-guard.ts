import type { Metadata } from '@grpc/grpc-js';
import type { MountedService } from '@mooring/rpc';

/** What a call's compressed messages may become. */
export interface InflationGuard {
  bytesMax: number;
  /** Sees the first piece of each message, up to 64 KiB of it; what it throws ends the inflation and the call. */
  look?: (beginning: Buffer) => void;
}

/**
 * Asked once for each call that sends a compressed message, before anything is inflated; what it throws ends the call. So a
 * service can see who calls before it pays for what the caller has packed.
 */
export type GuardInflation = (path: string, metadata: Metadata) => InflationGuard;

/** A service that says whose compressed messages are inflated, and how far; without a guard all of everybody's are. */
export interface GuardedService extends MountedService {
  guardInflation?: GuardInflation;
}

const questionBytesMax = 64 * 1024;

/** For services that anybody may ask and that are asked short questions. */
export const shortQuestions: GuardInflation = () => ({ bytesMax: questionBytesMax });
