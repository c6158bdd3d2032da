import { Socket } from 'node:net';
import type { SendHandle } from 'node:child_process';
import type { ConnectionMessage, FromChild } from './supervisor-messages.ts';

/**
 * An open connection without its stream: nothing is read from it meanwhile, so that what the peer sends waits in the
 * kernel for whoever adopts it. Node has no public name for it (its own cluster module passes the same thing around).
 */
export interface RawConnection {
  close(): void;
}

/** Moves idle connections to the process that replaces this one, so that a request which is under way is not lost. */
export interface ConnectionRelay {
  /** Resolves when it has left this process, which may then end. */
  give(server: string, connection: RawConnection): Promise<void>;
  /** Takes the connections that the process before this one gave. */
  onGiven(server: string, take: (connection: RawConnection) => void): void;
}

interface SocketInternals {
  _handle: (RawConnection & { reading?: boolean; readStop(): number }) | null;
}

/**
 * Takes the connection out of `socket`, which is then destroyed without it. Undefined where something of it is in memory
 * still and would be lost.
 */
export function detachSocket(socket: Socket): RawConnection | undefined {
  const internals = socket as unknown as SocketInternals;
  const handle = internals._handle;
  if (handle === null || socket.destroyed || socket.writableLength > 0 || socket.readableLength > 0) return undefined;
  if (socket.writableEnded || socket.readableEnded) return undefined;
  handle.reading = false;
  if (handle.readStop() !== 0) return undefined;
  internals._handle = null;
  socket.destroy();
  return handle;
}

export function adoptSocket(connection: RawConnection): Socket {
  return new Socket({ handle: connection, readable: true, writable: true } as object).setNoDelay(true);
}

/** The relay over the IPC channel to the supervisor. */
export function relayOverIpc(): ConnectionRelay {
  return {
    give: async (server, connection) => {
      const message: FromChild = { type: 'connection', server };
      if (process.connected) {
        await new Promise<unknown>((sent) => process.send?.(message, connection as unknown as SendHandle, {}, sent));
      }
      connection.close();
    },
    onGiven: (server, take) => {
      process.on('message', (message: Partial<ConnectionMessage>, connection) => {
        if (message.type !== 'connection' || connection === undefined || connection === null) return;
        if (message.server === server) take(connection as unknown as RawConnection);
      });
    },
  };
}
