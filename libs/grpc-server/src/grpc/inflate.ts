import { status } from '@grpc/grpc-js';
import { InflateError, type Inflation, type Inflations } from '@mooring/overload';
import { CallError } from './call-error.ts';

/** Undoes a message's compression; rejects with CallError, with what `take` threw, or with the signal's reason. */
export async function decompress(
  inflations: Inflations,
  encoding: string,
  message: Omit<Inflation, 'format'>,
): Promise<Buffer> {
  const format = encoding === 'gzip' ? 'gzip' : encoding === 'deflate' ? 'zlib' : undefined;
  if (format === undefined) {
    throw encoding === '' || encoding === 'identity'
      ? new CallError(status.INTERNAL, 'a message says it is compressed, but the call names no grpc-encoding')
      : new CallError(
          status.UNIMPLEMENTED,
          `grpc-encoding ${encoding.slice(0, 40)} is not known; identity, deflate and gzip are`,
        );
  }
  try {
    return await inflations.inflate({ ...message, format });
  } catch (thrown) {
    if (!(thrown instanceof InflateError)) throw thrown;
    if (thrown.reason === 'malformed') throw new CallError(status.INTERNAL, `the message is not valid ${encoding}`);
    throw new CallError(status.RESOURCE_EXHAUSTED, `the message unpacks to more than ${message.bytesMax} bytes`);
  }
}
