import { Socket } from 'node:net';

/** As much as libuv reads at once. */
const shared = Buffer.allocUnsafeSlow(64 * 1024);

/** What the option `onread` of node:net sets; it takes that only for connections that one makes, not for those that one accepts. */
interface OnRead {
  [name: symbol]: unknown;
  _handle: { useUserBuffer?(buffer: Buffer): void } | null;
}
const fields = Object.getOwnPropertySymbols(new Socket());
const [bufferField, callbackField] = ['kBuffer', 'kBufferCb'].map((name) =>
  fields.find(({ description }) => description === name),
);

/**
 * Reads `socket`, of which nothing has been read yet, into one buffer that all connections share: Node by itself allocates 64 KiB for
 * each read, and what came once more. `take` gets the bytes of each read and has to copy what it keeps: the next read of any
 * connection overwrites them. Where a version of Node has other names for it, each read has memory of its own.
 */
export function readShared(socket: Socket, take: (bytes: Buffer) => void): void {
  const internals = socket as unknown as OnRead;
  const handle = internals._handle;
  if (bufferField === undefined || callbackField === undefined || handle?.useUserBuffer === undefined) {
    socket.on('data', take);
    return;
  }
  internals[bufferField] = shared;
  internals[callbackField] = (bytes: number): void => take(shared.subarray(0, bytes));
  handle.useUserBuffer(shared);
}
