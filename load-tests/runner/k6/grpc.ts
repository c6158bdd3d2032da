import { performance } from 'node:perf_hooks';
import {
  type Client as ChannelClient,
  credentials,
  type ChannelCredentials,
  makeClientConstructor,
  Metadata,
} from '@grpc/grpc-js';
import {
  loadFileDescriptorSetFromBuffer,
  loadSync,
  type MessageTypeDefinition,
  type MethodDefinition,
  type PackageDefinition,
} from '@grpc/proto-loader';
import { readFileSync } from 'node:fs';
import { parseDuration } from '../duration.ts';
import { requireInit, requireRunning } from '../scope.ts';
import { scriptPath } from '../script.ts';
import { type GrpcReply, recordCall, statusCodes, unaryCall } from './grpc-call.ts';
import { MessageTypes } from './grpc-messages.ts';

type AnyMethod = MethodDefinition<object, object>;
type AnyMessage = MessageTypeDefinition<object, object>;

interface ConnectParams {
  plaintext?: boolean;
  reflect?: boolean;
  timeout?: string | number;
  maxReceiveSize?: number;
  maxSendSize?: number;
  tls?: { cert?: string; key?: string; cacerts?: string | string[] };
}

interface CallParams {
  metadata?: Readonly<Record<string, string | ArrayBuffer>>;
  tags?: Readonly<Record<string, string>>;
  timeout?: string | number;
  discardResponseMessage?: boolean;
}

interface Connection {
  readonly address: string;
  readonly channel: ChannelClient;
  /** The first call waits for the connection, at most so long. */
  readonly readyWithinMs: number;
  isReady: boolean;
}

/** As protojson writes messages: lowerCamelCase, 64-bit integers as text, bytes in base64, defaults included. */
const asProtojson = { keepCase: false, longs: String, enums: String, bytes: String, defaults: true, oneofs: false };
const defaultTimeoutMs = 60_000;

/** k6's gRPC client. Each virtual user that makes one has a connection of its own. */
export class Client {
  private readonly methods = new Map<string, AnyMethod>();
  private readonly messages = new MessageTypes();
  private connection: Connection | undefined;
  private closesWithRun = false;

  load(importPaths: readonly string[] | null, ...protoFiles: readonly string[]): void {
    const { test } = requireInit('client.load()');
    const folders = importPaths === null || importPaths.length === 0 ? ['.'] : importPaths;
    const includeDirs = folders.map((folder) => scriptPath(test.scriptFolder, folder));
    this.register(loadOnce(protoFiles, includeDirs));
  }

  loadProtoset(path: string): void {
    const { test } = requireInit('client.loadProtoset()');
    const bytes = readFileSync(scriptPath(test.scriptFolder, path));
    this.register(loadFileDescriptorSetFromBuffer(bytes, asProtojson));
  }

  /** The connection is made with the first call; k6 makes it here. */
  connect(address: string, params: ConnectParams = {}): void {
    const scope = requireRunning('client.connect()');
    if (params.reflect === true) throw new Error('the stand-in runner has no reflection; load the proto files');
    this.close();
    const Channel = makeClientConstructor({}, 'k6');
    const channel = new Channel(address, credentialsOf(params), {
      // Else grpc-js shares one connection among all clients with the same address.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_receive_message_length': params.maxReceiveSize ?? -1,
      'grpc.max_send_message_length': params.maxSendSize ?? -1,
    });
    const readyWithinMs = parseDuration(params.timeout ?? defaultTimeoutMs);
    const connection = { address, channel, readyWithinMs, isReady: false };
    this.connection = connection;
    if (!this.closesWithRun) scope.vu.closers.push(() => this.close());
    this.closesWithRun = true;
  }

  async asyncInvoke(url: string, request: object, params: CallParams = {}): Promise<GrpcReply> {
    const scope = requireRunning('client.asyncInvoke()');
    const path = url.startsWith('/') ? url : `/${url}`;
    const method = this.methods.get(path);
    if (method === undefined) throw new Error(`method '${url}' is in none of the loaded proto files`);
    if (this.connection === undefined) throw new Error('no gRPC connection: call client.connect() first');
    await ready(this.connection);
    const message = this.messages.canonical(
      path.slice(1, path.lastIndexOf('.')),
      method.requestType as AnyMessage,
      request,
    );
    const call = {
      channel: this.connection.channel,
      method,
      message,
      metadata: metadataOf(params.metadata ?? {}),
      timeoutMs: parseDuration(params.timeout ?? defaultTimeoutMs),
      signal: scope.signal,
    };
    const startedAt = performance.now();
    const reply = await unaryCall(call);
    if (scope.signal.aborted) throw scope.signal.reason;
    recordCall(scope, this.connection.address, path, reply, performance.now() - startedAt, params.tags ?? {});
    return params.discardResponseMessage === true ? { ...reply, message: null } : reply;
  }

  invoke(): never {
    throw new Error(
      'client.invoke() blocks until the answer is there, which the stand-in runner cannot do: ' +
        'await client.asyncInvoke(url, request, params)',
    );
  }

  healthCheck(): never {
    throw new Error(
      "the stand-in runner has no healthCheck(): load health.proto and asyncInvoke 'grpc.health.v1.Health/Check'",
    );
  }

  close(): void {
    this.connection?.channel.close();
    this.connection = undefined;
  }

  private register(definitions: PackageDefinition): void {
    for (const [name, definition] of Object.entries(definitions)) {
      if ('format' in definition) {
        if ('serialize' in definition) this.messages.add(name, definition as AnyMessage);
        continue;
      }
      for (const method of Object.values(definition)) this.methods.set(method.path, method as AnyMethod);
    }
  }
}

const loaded = new Map<string, PackageDefinition>();

/** Every virtual user loads the same files; reading them once is enough. */
function loadOnce(protoFiles: readonly string[], includeDirs: string[]): PackageDefinition {
  const key = JSON.stringify([protoFiles, includeDirs]);
  const known = loaded.get(key) ?? loadSync([...protoFiles], { ...asProtojson, includeDirs });
  loaded.set(key, known);
  return known;
}

async function ready(connection: Connection): Promise<void> {
  if (connection.isReady) return;
  await new Promise<void>((resolve, reject) => {
    connection.channel.waitForReady(Date.now() + connection.readyWithinMs, (error) => {
      if (error === undefined) resolve();
      else
        reject(new Error(`no connection to ${connection.address} in ${connection.readyWithinMs} ms`, { cause: error }));
    });
  });
  connection.isReady = true;
}

function credentialsOf({ plaintext, tls }: ConnectParams): ChannelCredentials {
  if (plaintext === true) return credentials.createInsecure();
  const bytes = (text: string | undefined): Buffer | null => (text === undefined ? null : Buffer.from(text));
  const authorities = Array.isArray(tls?.cacerts) ? tls.cacerts.join('\n') : tls?.cacerts;
  return credentials.createSsl(bytes(authorities), bytes(tls?.key), bytes(tls?.cert));
}

function metadataOf(given: Readonly<Record<string, string | ArrayBuffer>>): Metadata {
  const metadata = new Metadata();
  for (const [key, value] of Object.entries(given)) {
    metadata.set(key, typeof value === 'string' ? value : Buffer.from(value));
  }
  return metadata;
}

export const {
  StatusOK,
  StatusCanceled,
  StatusUnknown,
  StatusInvalidArgument,
  StatusDeadlineExceeded,
  StatusNotFound,
  StatusAlreadyExists,
  StatusPermissionDenied,
  StatusResourceExhausted,
  StatusFailedPrecondition,
  StatusAborted,
  StatusOutOfRange,
  StatusUnimplemented,
  StatusInternal,
  StatusUnavailable,
  StatusDataLoss,
  StatusUnauthenticated,
} = statusCodes;

export default { Client, ...statusCodes };
