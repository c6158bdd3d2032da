import { serviceAddress, type Environment } from '@mooring/config';
import { bindSocket, type ListeningSocket } from './listening-sockets.ts';
import type { ProcessPlan } from './topology.ts';

export interface PublicAddresses {
  http: string;
  grpc: string;
  management: string;
}

/** Where something listens, and the variable by which its process learns the descriptor of the socket. */
interface Door {
  variable: string;
  address: string;
  public?: keyof PublicAddresses;
}

interface Lent {
  variable: string;
  socket: ListeningSocket;
  /** Descriptors of this socket that a process gets. */
  copies: number;
  /** Processes beside this one listen on the same port. */
  shared: boolean;
  withdrawn: boolean;
}

/** Descriptors 0 to 2 are a process's own, 3 is its IPC channel. */
const firstFd = 4;
/** libuv accepts one connection for each descriptor in a turn: four keep a busy data-plane process from falling behind. */
const httpCopies = 4;

/**
 * Every listening socket of the platform. They belong to the supervisor and are lent to its processes, so that who connects
 * while one is replaced, or starts again after a crash, waits a moment instead of being refused, and ports stay the same.
 */
export class Doors {
  readonly #sockets = new Map<string, Lent[]>();
  readonly #addresses: PublicAddresses;

  private constructor(asked: PublicAddresses) {
    this.#addresses = { ...asked };
  }

  /** Binds what the processes of `plans` listen on. Those that share a port get a socket each. */
  static async open(plans: readonly ProcessPlan[], asked: PublicAddresses, environment: Environment): Promise<Doors> {
    const doors = new Doors(asked);
    const shared = plans.filter(({ targets }) => targets.includes('gateway')).length > 1;
    try {
      for (const plan of plans) await doors.#open(plan, environment, shared);
    } catch (error) {
      doors.close();
      throw error;
    }
    return doors;
  }

  /** As bound. */
  get addresses(): PublicAddresses {
    return { ...this.#addresses };
  }

  /** What a process of the plan gets when it is started: sockets from descriptor 4 on, and variables that name them. */
  lend(name: string): { handles: readonly unknown[]; environment: Record<string, string> } {
    const sockets = this.#sockets.get(name) ?? [];
    for (const one of sockets.filter(({ withdrawn }) => withdrawn)) {
      one.socket = one.socket.again();
      one.withdrawn = false;
    }
    const handles: unknown[] = [];
    const environment: Record<string, string> = {};
    for (const { variable, socket, copies } of sockets) {
      const fds = Array.from({ length: copies }, (_, index) => firstFd + handles.length + index);
      environment[variable] = fds.join(',');
      handles.push(...fds.map(() => socket.handle));
    }
    return { handles, environment };
  }

  /**
   * A process does not stay alive: connections that the kernel keeps for it are better with those that share its port, if
   * any do. It gets new sockets when it is lent some again.
   */
  withdraw(name: string): void {
    for (const one of this.#sockets.get(name)?.filter(({ shared, withdrawn }) => shared && !withdrawn) ?? []) {
      one.socket.handle.close();
      one.withdrawn = true;
    }
  }

  close(): void {
    const all = [...this.#sockets.values()].flat();
    for (const { socket } of all.filter(({ withdrawn }) => !withdrawn)) socket.handle.close();
    this.#sockets.clear();
  }

  async #open(plan: ProcessPlan, environment: Environment, shared: boolean): Promise<void> {
    const sockets: Lent[] = [];
    this.#sockets.set(plan.name, sockets);
    for (const { variable, address, public: name } of doorsOf(plan, this.#addresses, environment)) {
      const sharesPort = shared && name !== undefined;
      const socket = await bindSocket(address, sharesPort);
      const copies = name === 'http' ? httpCopies : 1;
      sockets.push({ variable, socket, copies, shared: sharesPort, withdrawn: false });
      // The next process of the same port has to know which one it became.
      if (name !== undefined) this.#addresses[name] = socket.address;
    }
  }
}

function doorsOf(plan: ProcessPlan, addresses: PublicAddresses, environment: Environment): Door[] {
  const settings = { ...environment, ...plan.environment };
  return plan.targets.flatMap((target): Door[] => {
    const variable = (name: string): string => `MOORING_${target.toUpperCase().replaceAll('-', '_')}_${name}`;
    if (target === 'gateway') return [{ variable: variable('LISTEN_FD'), address: addresses.http, public: 'http' }];
    if (target === 'management') {
      return [{ variable: variable('LISTEN_FD'), address: addresses.management, public: 'management' }];
    }
    const address = serviceAddress(target, settings);
    const internal = address === 'none' ? [] : [{ variable: variable('LISTEN_FD'), address }];
    if (target !== 'router') return internal;
    return [{ variable: variable('GRPC_LISTEN_FD'), address: addresses.grpc, public: 'grpc' }, ...internal];
  });
}
