import {
  status,
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import type { Abandoned } from '@mooring/contracts/scoring';
import type { Logger } from 'pino';
import { AbandonedSum } from './abandoned.ts';
import { rawScoringService } from './method.ts';
import type { ScoringPort } from './port.ts';
import { ServerStream } from './server-stream.ts';

export interface ScoringStreamOptions {
  port: ScoringPort;
  /** Calls that each stream may have open. */
  credits: number;
  /** True when the callers' headers are needed. */
  wantsHeaders: boolean;
  instanceId: string;
  /** Calls that are worked on at the same time, when a stream begins; absent or 0 = as many as there are. */
  parallel?: () => number;
  log: Logger;
  /** Streams at the same time; one router holds one. */
  streamsMax?: number;
}

/** Mount `definition` and `implementation` on a grpc-js server. */
export interface ScoringStreamServer {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
  /** Tells every caller to send nothing new; open calls are finished, new ones refused with started = false. */
  drain(): void;
  /** Calls that run now, those whose caller has gone included. */
  openCalls(): number;
  /** Streams that are connected now. */
  streams(): number;
  /** Changes the credits of each stream, now and later. */
  setCredits(credits: number): void;
  /** Tells one of the callers what calls came to that get no answer. */
  noteAbandoned(abandoned: Abandoned): void;
}

const streamsMaxDefault = 256;

/** The server's side of the scoring stream: a port behind the wire. */
export function serveScoringStream(options: ScoringStreamOptions): ScoringStreamServer {
  const streams = new Set<ServerStream>();
  const abandoned = new AbandonedSum();
  let { credits } = options;
  let draining = false;
  const score = (stream: ServerDuplexStream<Buffer, Buffer>): void => {
    if (streams.size >= (options.streamsMax ?? streamsMaxDefault)) {
      stream.on('error', () => undefined);
      stream.emit('error', { code: status.RESOURCE_EXHAUSTED, details: 'too many scoring streams' });
      return;
    }
    const opened: ServerStream = new ServerStream(stream, { ...options, credits, abandoned }, () =>
      streams.delete(opened),
    );
    streams.add(opened);
    if (draining) opened.drain();
  };
  return {
    definition: rawScoringService,
    implementation: { score },
    drain: () => {
      draining = true;
      for (const stream of streams) stream.drain();
    },
    openCalls: () => [...streams].reduce((sum, stream) => sum + stream.running, 0),
    streams: () => streams.size,
    noteAbandoned: (sum) => {
      abandoned.add(sum);
      for (const stream of streams) return stream.wake();
    },
    setCredits: (changed) => {
      credits = changed;
      for (const stream of streams) stream.setCredits(changed);
    },
  };
}
