import type { Logger } from 'pino';
import type { Nats } from '@mooring/messaging';
import type { Events } from '../ports.ts';

const stream = 'mooring_events';
const subjects = 'mooring.events.>';
const streamBytesMax = 64 * 2 ** 20;
/** Events that wait for the store; more are only logged. */
const waitingMax = 200;

/** The stream of what happened to instances. Every event is a line of the log as well. */
export async function openNatsEvents(nats: Nats, log: Logger): Promise<Events> {
  await nats.ensureStream(stream, { subjects: [subjects], maxBytes: streamBytesMax });
  let waiting = 0;
  return {
    tell: (event) => {
      const { message, ...labels } = event;
      log.info(labels, message);
      if (waiting >= waitingMax) return;
      waiting += 1;
      nats
        .publish(`mooring.events.${event.kind}`, { at: new Date().toISOString(), ...event })
        .catch((error: unknown) => log.debug({ err: error }, 'an event could not be stored'))
        .finally(() => (waiting -= 1));
    },
  };
}
