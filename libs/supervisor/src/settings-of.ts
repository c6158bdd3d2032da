import type { PublicAddresses } from './doors.ts';

/** What every process of the platform is told: its name, the data folder, NATS, and where the public addresses are. */
export function settingsOf(
  name: string,
  data: string,
  /** Of an own server with its account; of another one as the user gave it. */
  nats: string | undefined | { url: string; user: string; password: string },
  { http, grpc, management }: PublicAddresses,
): NodeJS.ProcessEnv {
  const own = typeof nats === 'object';
  return {
    MOORING_DATA: data,
    MOORING_PROCESS_NAME: name,
    MOORING_NATS_URL: own ? nats.url : nats,
    ...(own ? { MOORING_NATS_USER: nats.user, MOORING_NATS_PASSWORD: nats.password, MOORING_NATS_SYNC: 'always' } : {}),
    MOORING_GATEWAY_HTTP: http,
    MOORING_ROUTER_GRPC: grpc,
    MOORING_MANAGEMENT_HTTP: management,
  };
}
