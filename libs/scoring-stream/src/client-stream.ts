import {
  credentials,
  makeGenericClientConstructor,
  Metadata,
  type Client,
  type ClientDuplexStream,
} from '@grpc/grpc-js';
import type { Abandoned, Hello } from '@mooring/contracts/scoring';
import { CallLengths } from './call-lengths.ts';
import { messageBytesMax, rawScoringService } from './method.ts';
import type { OpenCalls } from './open-calls.ts';
import { free, MessageRoom, Outbox } from './outbox.ts';
import { encodeRequest } from './request-message.ts';
import { decodeResponse } from './response-message.ts';

/** The server speaks first; one that does not within this time is not one. */
const helloTimeoutMs = 5_000;
/** With 64 KiB a photo of 3 MB waits for 46 round trips; what is sent ahead of a small answer holds it up. */
const flowControlWindowBytes = 1024 * 1024;

export interface ClientStreamEvents {
  hello(hello: Hello): void;
  credit(credits: number): void;
  drain(): void;
  abandoned(sum: Abandoned): void;
  /** Called once, last. */
  lost(why: string): void;
}

export interface ScoringChannel {
  /** One stream; fails at once when the peer cannot be reached. */
  open(): ClientDuplexStream<Buffer, Buffer>;
  close(): void;
}

/** A channel of its own to one peer, so that its failures and its load are nobody else's. */
export function scoringChannel(address: string): ScoringChannel {
  const ScoringClient = makeGenericClientConstructor(rawScoringService, 'mooring.scoring.v1.ScoringService');
  const client = new ScoringClient(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': messageBytesMax,
    'grpc.max_send_message_length': messageBytesMax,
    'grpc-node.flow_control_window': flowControlWindowBytes,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.service_config_disable_resolution': 1,
    'grpc.enable_retries': 0,
    'grpc.min_reconnect_backoff_ms': 20,
    'grpc.initial_reconnect_backoff_ms': 20,
    'grpc.max_reconnect_backoff_ms': 500,
    // A lost machine says nothing; on a unix socket the kernel does. Long, because a model may block its process.
    ...(address.startsWith('unix:') ? {} : { 'grpc.keepalive_time_ms': 30_000, 'grpc.keepalive_timeout_ms': 30_000 }),
  }) as Client;
  const { path } = rawScoringService.score;
  const same = (bytes: Buffer): Buffer => bytes;
  return {
    open: () => client.makeBidiStreamRequest<Buffer, Buffer>(path, same, same, new Metadata(), {}),
    close: () => client.close(),
  };
}

/** One connection's life: from opening it to its loss. */
export class ClientStream {
  readonly #stream: ClientDuplexStream<Buffer, Buffer>;
  readonly #calls: OpenCalls;
  readonly #events: ClientStreamEvents;
  readonly #outbox: Outbox;
  readonly #lengths = new CallLengths();
  #wantsHeaders = false;
  #peerReadsChunks = false;
  #saidReadsChunks = false;
  readonly #room = new MessageRoom();
  #connected = false;
  #halfClosed = false;
  #over = false;

  constructor(channel: ScoringChannel, calls: OpenCalls, events: ClientStreamEvents) {
    this.#calls = calls;
    this.#events = events;
    this.#stream = channel.open();
    this.#outbox = new Outbox(
      () => this.#nextMessage(),
      (message, done) => void this.#stream.write(message, done),
    );
    const helloTimer = setTimeout(() => this.#end('it did not say hello in time'), helloTimeoutMs);
    helloTimer.unref();
    this.#stream.on('data', (message: Buffer) => {
      clearTimeout(helloTimer);
      this.#receive(message);
    });
    this.#stream.on('error', () => undefined);
    this.#stream.on('status', ({ code, details }: { code: number; details: string }) => {
      clearTimeout(helloTimer);
      this.#end(`status ${code}: ${details}`);
    });
  }

  /** Says that there may be something to send. */
  wake(): void {
    if (this.#connected) this.#outbox.wake(this.#lengths.long);
  }

  /** Nothing more will be sent. */
  halfClose(): void {
    if (this.#halfClosed || this.#over || !this.#connected) return;
    const last = this.#nextMessage();
    if (last !== undefined) this.#stream.write(last);
    this.#halfClosed = true;
    this.#stream.end();
  }

  /** Lets go without telling anybody. */
  abandon(): void {
    this.#over = true;
    this.#outbox.close();
    this.#stream.cancel();
  }

  #receive(message: Buffer): void {
    if (this.#over) return;
    try {
      const { hello, replies, credit, drain, abandoned, chunks } = decodeResponse(message);
      if (hello !== undefined) this.#greet(hello);
      for (const chunk of chunks) this.#calls.receive(chunk);
      for (const reply of replies) {
        this.#lengths.note(reply);
        this.#calls.settle(reply.id, reply);
      }
      if (credit !== undefined) this.#events.credit(credit.credits);
      if (abandoned !== undefined) this.#events.abandoned(abandoned);
      if (drain !== undefined) this.#events.drain();
      if (replies.length === 0 && chunks.length > 0) free(message);
    } catch (error) {
      this.#end(`it sent something that is not a frame: ${String(error)}`);
    }
  }

  #greet(hello: Hello): void {
    this.#wantsHeaders = hello.wantsHeaders;
    this.#peerReadsChunks = hello.readsChunks;
    this.#connected = true;
    this.#events.hello(hello);
  }

  #nextMessage(): Buffer | undefined {
    if (this.#halfClosed) return undefined;
    const { calls, cancels, chunk } = this.#calls.take(this.#peerReadsChunks);
    if (calls.length === 0 && cancels.length === 0 && chunk === undefined) return undefined;
    const readsChunks = !this.#saidReadsChunks;
    this.#saidReadsChunks = true;
    // Nothing with a chunk is ever written while another message is under way.
    const room = chunk === undefined ? undefined : this.#room.take;
    return encodeRequest(calls, cancels, this.#wantsHeaders, { chunk, readsChunks }, room);
  }

  #end(why: string): void {
    if (this.#over) return;
    this.abandon();
    this.#events.lost(why);
  }
}
