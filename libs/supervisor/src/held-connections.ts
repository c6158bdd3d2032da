import type { RawConnection } from '@mooring/runtime';
import type { PlatformProcess } from './platform-process.ts';

/** More idle connections than this wait for no process; the last to come are closed. */
const heldMax = 10_000;

/** Idle connections on their way from one process to the next. What callers send meanwhile waits in the kernel. */
export class HeldConnections {
  #held: { server: string; connection: RawConnection }[] = [];

  /** Goes to `to` if that serves, else to the one that will. */
  take(server: string, connection: RawConnection, to: PlatformProcess | undefined): void {
    if (to?.serves === true) to.give(server, connection);
    else if (this.#held.length < heldMax) this.#held.push({ server, connection });
    else connection.close();
  }

  release(to: PlatformProcess): void {
    for (const { server, connection } of this.#held.splice(0)) to.give(server, connection);
  }

  close(): void {
    for (const { connection } of this.#held.splice(0)) connection.close();
  }
}
