export type { Bucket, Entry, HistoryEntry } from './bucket.ts';
export { checkNats } from './check-nats.ts';
export { connectNats, type BucketOptions, type Nats, type NatsOptions, type StreamRecord } from './nats.ts';
export { findNatsServer, startNatsServer, type NatsServer, type NatsServerOptions } from './nats-server.ts';
export { natsModule, type NatsConnectionHolder } from './module.ts';
export type { Watch } from './watch.ts';
export type { WorkItem, WorkQueue, WorkQueueOptions } from './work-queue.ts';
