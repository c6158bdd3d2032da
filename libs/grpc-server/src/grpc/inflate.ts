import { gunzip, inflate } from 'node:zlib';
import { status } from '@grpc/grpc-js';
import { CallError } from './call-error.ts';

/** Undoes a message's compression; rejects with CallError. Never more than `maxBytes` are made, whatever they came from. */
export function decompress(bytes: Buffer, encoding: string, maxBytes: number): Promise<Buffer> {
  const undo = encoding === 'gzip' ? gunzip : encoding === 'deflate' ? inflate : undefined;
  if (undo === undefined) {
    return Promise.reject(
      encoding === '' || encoding === 'identity'
        ? new CallError(status.INTERNAL, 'a message says it is compressed, but the call names no grpc-encoding')
        : new CallError(
            status.UNIMPLEMENTED,
            `grpc-encoding ${encoding.slice(0, 40)} is not known; identity, deflate and gzip are`,
          ),
    );
  }
  return new Promise((resolve, reject) => {
    // 0 is no limit that zlib takes.
    undo(bytes, { maxOutputLength: Math.max(1, maxBytes) }, (error, result) => {
      if (error === null) resolve(result);
      else if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        reject(new CallError(status.RESOURCE_EXHAUSTED, `the message unpacks to more than ${maxBytes} bytes`));
      } else reject(new CallError(status.INTERNAL, `the message is not valid ${encoding}`));
    });
  });
}
