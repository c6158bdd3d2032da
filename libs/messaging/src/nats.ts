import {
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  PersistMode,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { Kvm } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from 'pino';
import { createBucket, type Bucket } from './bucket.ts';
import { disconnected, within } from './errors.ts';
import { ensureMemoryBucket, type MemoryLimits } from './memory-bucket.ts';
import { natsTarget } from './nats-address.ts';
import { openWorkQueue, type WorkQueue, type WorkQueueOptions } from './work-queue.ts';

export interface NatsOptions {
  /** `nats://host:port`, with or without an account in it. */
  url: string;
  user?: string | undefined;
  password?: string | undefined;
  /** Name of the process, shown in NATS's own monitoring. */
  name: string;
  /** How long one operation may take. */
  deadlineMs?: number;
}

export interface BucketOptions {
  /** Revisions kept, at most 64. */
  history?: number;
  /** For what may be lost: in the server's memory, gone with it; each entry goes after `ttlMs`, the oldest when it is full. */
  memory?: MemoryLimits;
  /** How long one operation may take; the connection's own deadline when absent. */
  deadlineMs?: number;
}

export interface StreamRecord {
  sequence: number;
  subject: string;
  at: Date;
  value: unknown;
}

export interface Nats {
  /** Opens a KV bucket, making it when it is absent. */
  bucket<T>(name: string, options?: BucketOptions): Promise<Bucket<T>>;
  /** Makes the stream when it is absent; old records go when it is full. */
  ensureStream(name: string, options: { subjects: string[]; maxBytes: number }): Promise<void>;
  /** Appends to a stream and waits until it is stored. */
  publish(subject: string, value: unknown): Promise<void>;
  /** The newest records of a stream, oldest first. */
  readStream(name: string, options: { max: number; subject?: string }): Promise<StreamRecord[]>;
  /** Opens a queue of work, making it when it is absent. */
  workQueue<T>(options: WorkQueueOptions): Promise<WorkQueue<T>>;
  /**
   * Those of the streams (a bucket's is `KV_<bucket>`) that answer before what they answer for is in a file: they are kept in memory, or
   * with `persist_mode: async`. How often a server syncs its files cannot be asked.
   */
  lazyStreams(names: readonly string[]): Promise<string[]>;
  /** Answers requests on a subject; what `handler` throws is answered as nothing. */
  respond(subject: string, handler: (payload: string) => Promise<string> | string): () => void;
  /** Asks everybody who listens on a subject and takes what arrives in time. */
  collect(subject: string, options: { waitMs: number; max: number; payload?: string }): Promise<string[]>;
  /** False while the connection is lost. */
  connected(): boolean;
  close(): Promise<void>;
}

const defaultDeadlineMs = 3_000;

/** Connects, and reconnects for ever; until then operations reject with `STATE_STORE_UNAVAILABLE`. */
export async function connectNats(options: NatsOptions, log: Logger): Promise<Nats> {
  const deadlineMs = options.deadlineMs ?? defaultDeadlineMs;
  const connection = await connect({
    ...natsTarget(options.url, options),
    name: options.name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    pingInterval: 5_000,
    maxPingOut: 2,
    waitOnFirstConnect: true,
    timeout: deadlineMs,
  });
  let connected = true;
  void (async () => {
    for await (const event of connection.status()) {
      if (event.type === 'disconnect') connected = false;
      if (event.type === 'reconnect') connected = true;
      if (event.type === 'disconnect' || event.type === 'reconnect') log.warn({ event: event.type }, 'nats connection');
    }
  })();
  return {
    ...operations(connection, deadlineMs, () => connected, log),
    connected: () => connected,
    close: () => close(connection),
  };
}

function operations(
  connection: NatsConnection,
  deadlineMs: number,
  connected: () => boolean,
  log: Logger,
): Omit<Nats, 'connected' | 'close'> {
  const js = jetstream(connection, { timeout: deadlineMs });
  return {
    bucket: async (name, { history = 1, memory, deadlineMs: own = deadlineMs } = {}) => {
      if (memory !== undefined) await within(ensureMemoryBucket(connection, name, memory), own, name);
      const open = new Kvm(js).create(name, { history, storage: StorageType.File });
      const purge = async (subject: string): Promise<unknown> =>
        (await jetstreamManager(connection)).streams.purge(`KV_${name}`, { filter: subject });
      return createBucket(await within(open, own, name), name, own, connected, log, purge);
    },
    ensureStream: (name, { subjects, maxBytes }) =>
      within(ensureStream(connection, name, subjects, maxBytes), deadlineMs, name),
    publish: async (subject, value) => {
      if (!connected()) throw disconnected(subject);
      await within(js.publish(subject, JSON.stringify(value)), deadlineMs, subject);
    },
    readStream: (name, { max, subject }) => within(readStream(connection, name, max, subject), deadlineMs, name),
    workQueue: <T>(options: WorkQueueOptions) => openWorkQueue<T>(connection, options, deadlineMs, connected),
    lazyStreams: (names) => within(lazyStreams(connection, names), deadlineMs, names.join(', ')),
    respond: (subject, handler) => respond(connection, subject, handler, log),
    collect: (subject, { waitMs, max, payload = '' }) => collect(connection, subject, waitMs, max, payload),
  };
}

async function close(connection: NatsConnection): Promise<void> {
  // drain() waits for the server; a server that is gone must not keep a process from stopping.
  await Promise.race([connection.drain(), new Promise((resolve) => setTimeout(resolve, 1_000).unref())]);
  await Promise.race([connection.close(), new Promise((resolve) => setTimeout(resolve, 500).unref())]);
}

async function ensureStream(
  connection: NatsConnection,
  name: string,
  subjects: string[],
  maxBytes: number,
): Promise<void> {
  const manager = await jetstreamManager(connection);
  const config = { name, subjects, storage: StorageType.File, retention: RetentionPolicy.Limits, max_bytes: maxBytes };
  try {
    await manager.streams.info(name);
  } catch {
    await manager.streams.add(config);
  }
}

async function lazyStreams(connection: NatsConnection, names: readonly string[]): Promise<string[]> {
  const manager = await jetstreamManager(connection);
  const lazy: string[] = [];
  for (const name of names) {
    const { storage, persist_mode } = (await manager.streams.info(name)).config;
    if (storage !== StorageType.File || persist_mode === PersistMode.Async) lazy.push(name);
  }
  return lazy;
}

async function readStream(
  connection: NatsConnection,
  name: string,
  max: number,
  subject: string | undefined,
): Promise<StreamRecord[]> {
  const manager = await jetstreamManager(connection);
  const { state } = await manager.streams.info(name);
  const records: StreamRecord[] = [];
  if (state.messages === 0) return records;
  const consumer = await jetstream(connection).consumers.get(name, {
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.max(state.first_seq, state.last_seq - max + 1),
    ...(subject === undefined ? {} : { filter_subjects: [subject] }),
  });
  const messages = await consumer.fetch({ max_messages: max, expires: 1_000 });
  for await (const message of messages) {
    records.push({
      sequence: message.seq,
      subject: message.subject,
      at: message.time,
      value: message.json(),
    });
    if (message.info.pending === 0) break;
  }
  // Left alone it would count for minutes among those that a stream may have.
  await consumer.delete().catch(() => undefined);
  return records;
}

function respond(
  connection: NatsConnection,
  subject: string,
  handler: (payload: string) => Promise<string> | string,
  log: Logger,
): () => void {
  const subscription = connection.subscribe(subject, {
    callback: (error, message) => {
      if (error) return;
      void (async () => {
        try {
          message.respond(await handler(message.string()));
        } catch (thrown) {
          log.warn({ err: thrown, subject }, 'no answer');
        }
      })();
    },
  });
  return () => subscription.unsubscribe();
}

async function collect(
  connection: NatsConnection,
  subject: string,
  waitMs: number,
  max: number,
  payload: string,
): Promise<string[]> {
  const answers: string[] = [];
  const replies = await connection.requestMany(subject, payload, {
    strategy: 'timer',
    maxWait: waitMs,
    maxMessages: max,
  });
  for await (const reply of replies) answers.push(reply.string());
  return answers;
}
