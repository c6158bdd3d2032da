import {
  AckPolicy,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
  type Consumer,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, type NatsConnection } from '@nats-io/transport-node';
import { PlatformError } from '@mooring/errors';
import { disconnected, within } from './errors.ts';

export interface WorkQueueOptions {
  /** Name of the stream; its subjects are `<subjects>.<lane>`. */
  stream: string;
  subjects: string;
  /** All that may wait at once, of all lanes. */
  messagesMax: number;
  /** How long whoever took an item may be silent before another gets it. */
  ackWaitMs: number;
}

/** One piece of work that was taken. Whatever becomes of the answer, it may be given to somebody else as well. */
export interface WorkItem<T> {
  value: T;
  /** How often it was given to somebody, this time counted. */
  deliveries: number;
  /** It is done and will not come again. */
  done(): Promise<void>;
  /** Somebody else, or this one later, shall do it. */
  giveBack(afterMs: number): void;
  /** It is still being worked on. */
  keep(): void;
}

/**
 * Work in lanes, kept on disk by NATS (a JetStream stream with work-queue retention, a consumer for each lane). An item is
 * given to whoever asks, and again to another when that one falls silent: at least once, never exactly once.
 */
export interface WorkQueue<T> {
  /** Resolves when it is stored. An `id` that was pushed within the last minutes is not stored twice. */
  push(lane: string, id: string, value: T): Promise<void>;
  /** Waits up to `waitMs` (at least a second) for one. */
  take(lane: string, waitMs: number): Promise<WorkItem<T> | undefined>;
  /** Items that wait, and those that somebody has. */
  count(lane: string): Promise<{ waiting: number; taken: number }>;
  /** Drops what waits in a lane, and the lane's consumer. */
  close(lane: string): Promise<void>;
}

/** Longer than a scheduler takes to come back and push what it is not sure to have pushed. */
const duplicateWindowMs = 120_000;
/** NATS takes no shorter wait. */
const expiresMinMs = 1_000;

export async function openWorkQueue<T>(
  connection: NatsConnection,
  options: WorkQueueOptions,
  deadlineMs: number,
  connected: () => boolean,
): Promise<WorkQueue<T>> {
  const { stream, subjects, ackWaitMs } = options;
  const js = jetstream(connection, { timeout: deadlineMs });
  const manager = await within(jetstreamManager(connection), deadlineMs, stream);
  await within(ensureQueue(connection, options), deadlineMs, stream);
  const lanes = new Map<string, Consumer>();
  const bounded = <R>(work: () => Promise<R>, lane: string): Promise<R> => {
    if (!connected()) throw disconnected(`${stream}/${lane}`);
    return within(work(), deadlineMs, `${stream}/${lane}`);
  };
  const subjectOf = (lane: string): string => `${subjects}.${lane}`;
  const consumerFor = async (lane: string): Promise<Consumer> => {
    const known = lanes.get(lane);
    if (known !== undefined) return known;
    await manager.consumers.add(stream, {
      durable_name: consumerOf(lane),
      filter_subject: subjectOf(lane),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      max_ack_pending: 10_000,
    });
    const made = await js.consumers.get(stream, consumerOf(lane));
    lanes.set(lane, made);
    return made;
  };
  return {
    push: async (lane, id, value) => {
      await bounded(() => js.publish(subjectOf(lane), JSON.stringify(value), { msgID: id }), lane);
    },
    take: async (lane, waitMs) => {
      const expires = Math.max(expiresMinMs, waitMs);
      const next = async (): Promise<JsMsg | null> => (await consumerFor(lane)).next({ expires });
      const again = async (thrown: unknown): Promise<JsMsg | null> => {
        unlessAbsent(thrown);
        // Somebody closed the lane since it was made here.
        lanes.delete(lane);
        return next();
      };
      if (!connected()) throw disconnected(`${stream}/${lane}`);
      const message = await within(next().catch(again), 2 * waitMs + deadlineMs, `${stream}/${lane}`);
      return message === null ? undefined : itemOf<T>(message);
    },
    count: (lane) => bounded(() => countOf(manager, stream, lane, subjectOf(lane)), lane),
    close: async (lane) => {
      lanes.delete(lane);
      await bounded(() => manager.streams.purge(stream, { filter: subjectOf(lane) }), lane);
      await bounded(() => manager.consumers.delete(stream, consumerOf(lane)).catch(unlessAbsent), lane);
    },
  };
}

async function ensureQueue(connection: NatsConnection, options: WorkQueueOptions): Promise<void> {
  const manager = await jetstreamManager(connection);
  try {
    await manager.streams.info(options.stream);
  } catch (thrown) {
    unlessAbsent(thrown);
    await manager.streams.add({
      name: options.stream,
      subjects: [`${options.subjects}.>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Workqueue,
      max_msgs: options.messagesMax,
      duplicate_window: nanos(duplicateWindowMs),
    });
  }
}

function itemOf<T>(message: JsMsg): WorkItem<T> {
  return {
    value: message.json<T>(),
    deliveries: message.info.deliveryCount,
    done: async () => void (await message.ackAck()),
    giveBack: (afterMs) => message.nak(afterMs),
    keep: () => message.working(),
  };
}

async function countOf(
  manager: Awaited<ReturnType<typeof jetstreamManager>>,
  stream: string,
  lane: string,
  subject: string,
): Promise<{ waiting: number; taken: number }> {
  try {
    const { num_pending, num_ack_pending } = await manager.consumers.info(stream, consumerOf(lane));
    return { waiting: num_pending, taken: num_ack_pending };
  } catch (thrown) {
    unlessAbsent(thrown);
    const { state } = await manager.streams.info(stream, { subjects_filter: subject });
    return { waiting: state.subjects?.[subject] ?? 0, taken: 0 };
  }
}

/** Names of consumers may hold no dots. */
function consumerOf(lane: string): string {
  return lane.replaceAll('.', '_');
}

function isAbsent(thrown: unknown): boolean {
  return /not found|no responders|consumer deleted|404/i.test(String((thrown as Error).message));
}

function unlessAbsent(thrown: unknown): void {
  if (!isAbsent(thrown)) throw PlatformError.from(thrown);
}
