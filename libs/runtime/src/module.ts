import type { Logger } from 'pino';
import type { Environment } from '@mooring/config';
import type { ConnectionRelay } from './connection-relay.ts';

/**
 * Why a process stops. `abandoned`: its supervisor died, so another one is about to start this process anew. `replaced`:
 * another process serves already on the same listening sockets. With both, what outlives a process (the scorers) must be
 * left running.
 */
export type StopReason = 'asked' | 'abandoned' | 'replaced';

/** A running part of the platform. */
export interface Lifecycle {
  /** Resolves when it can serve. */
  start?(): Promise<void>;
  /** True while it can take new work. */
  ready?(): boolean;
  /** Stops taking new work and finishes what is open. `signal` aborts when the deadline has passed: then give up. */
  stop?(signal: AbortSignal, why: StopReason): Promise<void>;
  /** What the supervisor should know once it serves: `http`, `grpc` and `management` are addresses as bound. */
  facts?(): Readonly<Record<string, string>>;
}

/** What every module gets beside the modules it needs. */
export interface StartContext {
  environment: Environment;
  log: Logger;
  /** Absent where no supervisor could bring another process. */
  relay?: ConnectionRelay;
}

/**
 * A service as an object: its name, the modules it needs (started before it, stopped after it) and how it is made.
 * The compiler checks the wiring because `needs` are modules themselves, not names.
 */
export interface Module<T extends Lifecycle = Lifecycle> {
  readonly name: string;
  readonly needs: Readonly<Record<string, Module>>;
  /** Two processes must never run it at once: a process that is replaced stops it before the next one starts it. */
  readonly alone?: boolean;
  // eslint-disable-next-line typescript/no-explicit-any -- the exact types of `needs` are checked in defineModule
  readonly create: (needs: any, context: StartContext) => T | Promise<T>;
}

export type ModuleSet = Readonly<Record<string, Module>>;

type Created<N extends Readonly<Record<string, Module>>> = {
  [K in keyof N]: N[K] extends Module<infer T> ? T : never;
};

export function defineModule<T extends Lifecycle, N extends Readonly<Record<string, Module>>>(definition: {
  name: string;
  needs: N;
  alone?: boolean;
  create: (needs: Created<N>, context: StartContext) => T | Promise<T>;
}): Module<T> {
  return definition;
}

/** Modules in the order in which they start: everything a module needs comes before it. Throws on a cycle. */
export function startOrder(targets: readonly Module[]): Module[] {
  const order: Module[] = [];
  const visiting: Module[] = [];
  const visit = (module: Module): void => {
    if (order.includes(module)) return;
    if (visiting.includes(module)) {
      throw new Error(`modules need each other in a circle: ${[...visiting, module].map((m) => m.name).join(' -> ')}`);
    }
    visiting.push(module);
    for (const need of Object.values(module.needs)) visit(need);
    visiting.pop();
    order.push(module);
  };
  for (const target of targets) visit(target);
  return order;
}
