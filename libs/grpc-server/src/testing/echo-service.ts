import type { EventEmitter } from 'node:events';
import {
  Metadata,
  status,
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { MountedService } from '@mooring/rpc';

const same = (bytes: Buffer): Buffer => bytes;

function method(path: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  const codec = {
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  };
  return { path: `/test.Echo/${path}`, requestStream, responseStream, ...codec };
}

export const echoDefinition = {
  unary: method('Unary', false, false),
  wait: method('Wait', false, false),
  fail: method('Fail', false, false),
  large: method('Large', false, false),
  collect: method('Collect', true, false),
  repeat: method('Repeat', false, true),
  chat: method('Chat', true, true),
  hold: method('Hold', true, true),
} satisfies ServiceDefinition;

export interface EchoSeen {
  cancelled: number;
  peer: string;
  host: string;
  deadlineMs: number;
  /** Messages that `hold` has taken out of its stream. */
  held: number;
  /** Streams of `hold`, which reads nothing by itself. */
  holding: ServerDuplexStream<Buffer, Buffer>[];
  /** Answers the calls of `wait`. */
  release: (() => void)[];
}

type Unary = ServerUnaryCall<Buffer, Buffer>;

/** Bytes in, bytes out, in every kind of call. Metadata `echo` and `echo-bin` come back in the head and the trailers. */
export function echoService(): MountedService & { seen: EchoSeen } {
  const seen: EchoSeen = { cancelled: 0, peer: '', host: '', deadlineMs: 0, held: 0, holding: [], release: [] };
  const watch = (call: EventEmitter): void => {
    call.on('cancelled', () => (seen.cancelled += 1));
  };
  const implementation = {
    unary: (call: Unary, reply: sendUnaryData<Buffer>): void => {
      seen.peer = call.getPeer();
      seen.host = call.getHost();
      seen.deadlineMs = Number(call.getDeadline());
      const trailer = returned(call.metadata);
      if (trailer !== undefined) call.sendMetadata(trailer);
      reply(null, call.request, trailer);
    },
    wait: (call: Unary, reply: sendUnaryData<Buffer>): void => {
      watch(call);
      call.on('cancelled', () => reply({ code: status.CANCELLED }));
      seen.release.push(() => reply(null, call.request));
    },
    fail: (call: Unary, reply: sendUnaryData<Buffer>): void => {
      const [code = '2', details = ''] = call.request.toString().split('|');
      if (code === 'throw') throw new Error('the password is hunter2');
      reply({ code: Number(code), details, metadata: returned(call.metadata) ?? new Metadata() });
    },
    large: (call: Unary, reply: sendUnaryData<Buffer>): void => {
      reply(null, Buffer.alloc(Number(call.request.toString()), 7));
    },
    collect: (call: ServerReadableStream<Buffer, Buffer>, reply: sendUnaryData<Buffer>): void => {
      const parts: Buffer[] = [];
      call.on('data', (part: Buffer) => parts.push(part));
      call.on('end', () => reply(null, Buffer.concat(parts)));
    },
    repeat: (call: ServerWritableStream<Buffer, Buffer>): void => {
      watch(call);
      const [count = 0, bytes = 0] = call.request.toString().split('x').map(Number);
      void (async () => {
        for (let n = 0; n < count && !call.cancelled; n += 1) {
          if (!call.write(Buffer.alloc(bytes, n))) await new Promise((resolve) => call.once('drain', resolve));
        }
        call.end();
      })();
    },
    chat: (call: ServerDuplexStream<Buffer, Buffer>): void => {
      watch(call);
      const trailer = returned(call.metadata);
      if (trailer !== undefined) call.sendMetadata(trailer);
      call.on('data', (message: Buffer) => {
        if (message.toString() === 'fail') call.emit('error', { code: status.ABORTED, details: 'as you wish' });
        else if (!call.write(message)) {
          call.pause();
          call.once('drain', () => call.resume());
        }
      });
      call.on('end', () => (trailer === undefined ? call.end() : call.end(trailer)));
    },
    hold: (call: ServerDuplexStream<Buffer, Buffer>): void => {
      watch(call);
      call.pause();
      call.on('data', () => (seen.held += 1));
      call.on('end', () => call.end());
      seen.holding.push(call);
    },
  };
  return { definition: echoDefinition, implementation, seen };
}

function returned(metadata: Metadata): Metadata | undefined {
  const found = ['echo', 'echo-bin'].flatMap((name) => metadata.get(name).map((value) => [name, value] as const));
  if (found.length === 0) return undefined;
  const result = new Metadata();
  for (const [name, value] of found) result.add(name, value);
  return result;
}
