/** What the NATS client takes: it reads neither an account nor a scheme from its addresses. */
export interface NatsTarget {
  servers: string;
  user?: string;
  pass?: string;
  token?: string;
  tls?: Record<string, never>;
}

/**
 * Splits `nats://user:password@host:4222` (or `nats://token@host`). An account given apart goes before one in the URL.
 * Throws for what is no URL, without repeating it: it may hold a password.
 */
export function natsTarget(
  url: string,
  account: { user?: string | undefined; password?: string | undefined },
): NatsTarget {
  const parsed = URL.parse(url);
  if (parsed === null || parsed.host === '') {
    throw new Error('the address of NATS is not a URL such as nats://127.0.0.1:4222');
  }
  const { protocol, host, username, password } = parsed;
  const user = account.user ?? decodeURIComponent(username);
  const pass = account.password ?? decodeURIComponent(password);
  return {
    servers: host,
    ...(protocol === 'tls:' ? { tls: {} } : {}),
    ...(user === '' ? {} : pass === '' ? { token: user } : { user, pass }),
  };
}
