import { z } from 'zod';

/** Settings of the __name__ service: MOORING___UPPER___<KEY>. */
export const __camel__Config = z.object({
  /** Where it listens. */
  address: z.string().default('127.0.0.1:0'),
});

export type __Pascal__Config = Readonly<z.output<typeof __camel__Config>>;
