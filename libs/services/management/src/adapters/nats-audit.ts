import type { Logger } from 'pino';
import type { Nats } from '@mooring/messaging';
import type { AuditEvent, AuditPort } from '../ports.ts';

const stream = 'mooring_audit';
const subjects = 'mooring.audit.>';
const subject = 'mooring.audit.management';
/** Some hundred thousand events; the oldest go first. */
const streamBytesMax = 64 * 2 ** 20;
/** Events of changes that were made while the state store was being lost. */
const backlogMax = 1_000;
const retryMs = 1_000;

/**
 * The audit stream. An event that cannot be stored now (its change has happened already) is kept and tried again;
 * `stop` gives up.
 */
export async function openNatsAudit(nats: Nats, log: Logger): Promise<AuditPort & { stop(): void }> {
  await nats.ensureStream(stream, { subjects: [subjects], maxBytes: streamBytesMax });
  const backlog: AuditEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = async (): Promise<void> => {
    timer = undefined;
    try {
      for (let event = backlog[0]; event !== undefined; event = backlog[0]) {
        await nats.publish(subject, event);
        backlog.shift();
      }
    } catch {
      retryLater();
    }
  };
  const retryLater = (): void => {
    timer ??= setTimeout(() => void flush(), retryMs).unref();
  };
  return {
    available: () => nats.connected(),
    record: async (event) => {
      try {
        await nats.publish(subject, event);
      } catch (thrown) {
        if (backlog.length >= backlogMax) log.error({ event }, 'an audit event is lost: the state store is away');
        else backlog.push(event);
        log.warn({ err: thrown, waiting: backlog.length }, 'an audit event waits for the state store');
        retryLater();
      }
    },
    recent: async (max) => {
      const records = await nats.readStream(stream, { max, subject });
      return records.map(({ value }) => value as AuditEvent).toReversed();
    },
    stop: () => clearTimeout(timer),
  };
}
