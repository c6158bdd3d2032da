/** The load generator's process: takes a job by IPC, answers its result, and ends when the channel closes. */
import { readFileSync } from 'node:fs';
import { GrpcConnection } from './grpc-connection.ts';
import { HttpLane } from './http-lane.ts';
import { runClosed } from './closed-loop.ts';
import type { Job, LoadResult, Target } from './jobs.ts';
import type { Lane, OnOutcome } from './lane.ts';
import { runOpen } from './open-loop.ts';

/** Streams of one gRPC connection share a socket; as many connections as callers usually have. */
const grpcConnectionsMax = 8;

function laneMaker(target: Target): (onOutcome: OnOutcome) => Lane {
  const request = readFileSync(target.requestFile);
  if (target.protocol === 'http') return (onOutcome) => new HttpLane(target, request, onOutcome);
  const connections: GrpcConnection[] = [];
  let made = 0;
  return (onOutcome) => {
    const index = made % grpcConnectionsMax;
    made += 1;
    const connection = (connections[index] ??= new GrpcConnection(target, request));
    return connection.lane(onOutcome);
  };
}

function run(job: Job): Promise<LoadResult | LoadResult[]> {
  const make = laneMaker(job.target);
  if (job.kind === 'open') return runOpen(job, make);
  return runClosed(job, (onOutcome) => Array.from({ length: job.inFlight }, () => make(onOutcome)));
}

process.on('message', (job: Job) => {
  run(job).then(
    (result) => process.send?.({ result }),
    (error: unknown) => process.send?.({ error: error instanceof Error ? error.message : String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ ready: true });
