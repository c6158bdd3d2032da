import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { natsTarget } from './nats-address.ts';
import { oldestVersion } from './nats-server.ts';

export interface NatsCheckOptions {
  url: string;
  user?: string | undefined;
  password?: string | undefined;
  deadlineMs?: number;
}

/**
 * Throws, saying what to do, when a NATS that somebody else runs cannot hold the state: it does not answer, refuses the
 * account, is too old, or has no JetStream. The processes would wait for it without a word.
 */
export async function checkNats({ url, user, password, deadlineMs = 5_000 }: NatsCheckOptions): Promise<void> {
  const target = natsTarget(url, { user, password });
  const failed = (why: string, cause?: unknown): Error => new Error(`NATS at ${target.servers} ${why}`, { cause });
  const connection = await connect({ ...target, name: 'mooring-check', reconnect: false, timeout: deadlineMs }).catch(
    (cause: unknown) => {
      const text = cause instanceof Error ? cause.message : String(cause);
      if (/authorization|authentication/i.test(text)) {
        throw failed(
          'refuses the account; give it in the address or as MOORING_NATS_USER and MOORING_NATS_PASSWORD',
          cause,
        );
      }
      throw failed(`cannot be reached (${text}); start it, or give its address with --nats`, cause);
    },
  );
  try {
    const version = connection.info?.version ?? '0';
    if (version.localeCompare(oldestVersion, 'en', { numeric: true }) < 0) {
      throw failed(`is version ${version}; Mooring needs ${oldestVersion} or newer`);
    }
    const manager = await jetstreamManager(connection, { timeout: deadlineMs, checkAPI: false });
    await manager.getAccountInfo().catch((cause: unknown) => {
      throw failed(
        'has no JetStream for this account; start nats-server with -js, or enable it for the account',
        cause,
      );
    });
  } finally {
    await connection.close();
  }
}
