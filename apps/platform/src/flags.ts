import { parseArgs } from 'node:util';

const options = {
  target: { type: 'string' },
  'list-targets': { type: 'boolean', default: false },
  supervise: { type: 'boolean', default: false },
  'clean-up': { type: 'boolean', default: false },
  data: { type: 'string' },
  http: { type: 'string' },
  grpc: { type: 'string' },
  management: { type: 'string' },
  nats: { type: 'string' },
  topology: { type: 'string' },
  edge: { type: 'string' },
} as const;

export type PlatformFlags = ReturnType<typeof readFlags>;

/** The flags of `apps/platform`; throws with a message for people when one is unknown. */
export function readFlags(argv: readonly string[]) {
  return parseArgs({ args: [...argv], options, strict: true }).values;
}
