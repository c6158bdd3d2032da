import {
  credentials,
  Metadata,
  type CallOptions,
  type ChannelCredentials,
  type ClientOptions,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import { errorFrom } from './errors.ts';
import { maxMessageBytes } from './server.ts';

type UnaryMethod<Q, R> = (
  request: Q,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: R) => void,
) => ClientUnaryCall;

/** Names of the unary methods of a generated client. */
type UnaryNames<C> = {
  [K in keyof C]: C[K] extends UnaryMethod<infer _Q, infer _R> ? K : never;
}[keyof C];
type RequestOf<M> = M extends UnaryMethod<infer Q, infer _R> ? Q : never;
type ResponseOf<M> = M extends UnaryMethod<infer _Q, infer R> ? R : never;

export interface ClientCallOptions {
  deadlineMs?: number;
  signal?: AbortSignal;
  metadata?: Readonly<Record<string, string>>;
}

export interface RpcClient<C> {
  /** Rejects with the PlatformError that the server threw, or `unavailable`/`deadline_exceeded`. Default deadline 5 s. */
  call<K extends UnaryNames<C>>(
    method: K,
    request: RequestOf<C[K]>,
    options?: ClientCallOptions,
  ): Promise<ResponseOf<C[K]>>;
  close(): void;
}

export interface Closable {
  close(): void;
}

/** A generated grpc-js client class. */
export type ClientClass<C> = new (address: string, channel: ChannelCredentials, options?: Partial<ClientOptions>) => C;

/** A promise client for a generated grpc-js client class. Dials when it is first used. */
export function createClient<C extends Closable>(
  Constructor: ClientClass<C>,
  address: string,
  defaultDeadlineMs = 5_000,
): RpcClient<C> {
  const client = new Constructor(address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': maxMessageBytes,
    'grpc.max_send_message_length': maxMessageBytes,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.min_reconnect_backoff_ms': 50,
  });
  return {
    call: (method, request, options = {}) =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata();
        for (const [name, value] of Object.entries(options.metadata ?? {})) metadata.set(name, value);
        const deadline = Date.now() + (options.deadlineMs ?? defaultDeadlineMs);
        const invoke = client[method] as UnaryMethod<typeof request, never>;
        const open = invoke.call(client, request, metadata, { deadline }, (error, response) => {
          options.signal?.removeEventListener('abort', cancel);
          if (error) reject(errorFrom(error));
          else resolve(response);
        });
        const cancel = (): void => open.cancel();
        if (options.signal?.aborted === true) cancel();
        options.signal?.addEventListener('abort', cancel, { once: true });
      }),
    close: () => client.close(),
  };
}
