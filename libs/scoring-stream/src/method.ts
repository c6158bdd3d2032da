import { ScoringServiceService } from '@mooring/contracts/scoring';

/** Largest message either way: the largest body (128 MiB) and room for its envelope. */
export const messageBytesMax = 130 * 2 ** 20;
/** Largest body that a stream carries. */
export const bodyBytesMax = 128 * 2 ** 20;

const same = (bytes: Buffer): Buffer => bytes;

/**
 * The generated method with its (de)serialisers replaced: grpc-js hands the raw message over, and a message that cannot
 * be read is ours to answer. ts-proto's codec would copy each body three times.
 */
export const rawScoringService = {
  score: {
    ...ScoringServiceService.score,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  },
} as const;
