import { setTimeout as delay } from 'node:timers/promises';
import { kill } from '../platform.ts';
import type { BatchGround } from './ground.ts';

/** How long a worker of these tests may say nothing before the queue gives its mini-batch to another. */
export const ackWaitMs = 2_000;
const stopLeast = 1.5;
const fullLeastMs = 1_000;

export interface Fault {
  name: string;
  about: string;
  /**
   * Once, while a job is somewhere between its beginning and its end. Resolves when nothing stands in the way any more. `longest`: what
   * lasts takes at most this many ack waits.
   */
  strike(ground: BatchGround, random: () => number, longest: number): Promise<void>;
}

/** Needs a disk of its own; see Volume. */
export const fullDisk: Fault = {
  name: 'full-disk',
  about: 'no byte is left on the disk of the whole data folder for a while',
  strike: async (ground, random, longest) => {
    ground.volume.fill();
    await delay(between(fullLeastMs, longest * ackWaitMs, random()));
    ground.volume.empty();
  },
};

export const faults: readonly Fault[] = [
  {
    name: 'kill-process',
    about: 'kill -9 of a process that runs the script',
    strike: async (ground, random) => {
      const runners = ground.runners();
      // There is none before the job runs, and none once it is done.
      if (runners.length > 0) kill(runners[Math.floor(random() * runners.length)] ?? 0, 'SIGKILL');
    },
  },
  {
    name: 'kill-worker',
    about: 'kill -9 of one worker, or of both at once',
    strike: async (ground, random) => {
      const both = random() < 0.5;
      const pid = ground.pidOf('worker');
      kill(pid, 'SIGKILL');
      if (!both) return;
      await ground.killTwin();
      await ground.whole(pid);
      await ground.startTwin();
    },
  },
  killOf('batch-scheduler', 'kill-scheduler'),
  killOf('nats', 'kill-nats'),
  {
    name: 'kill-everything',
    about: 'kill -9 of the supervisor and all that it started, then another start',
    strike: async (ground) => {
      await ground.platform.killAll();
      await ground.start();
    },
  },
  stopOf('worker', 'stop-worker'),
  stopOf('batch-scheduler', 'stop-scheduler'),
  stopOf('nats', 'stop-nats'),
  fullDisk,
];

function killOf(process: string, name: string): Fault {
  return {
    name,
    about: `kill -9 of ${process}`,
    strike: async (ground) => void kill(ground.pidOf(process), 'SIGKILL'),
  };
}

/** SIGSTOP for longer than the queue waits: others get its work, and then it goes on as if nothing had been. */
function stopOf(process: string, name: string): Fault {
  return {
    name,
    about: `SIGSTOP of ${process} for longer than the ack wait`,
    strike: async (ground, random, longest) => {
      const pid = ground.pidOf(process);
      kill(pid, 'SIGSTOP');
      await delay(between(stopLeast * ackWaitMs, longest * ackWaitMs, random()));
      kill(pid, 'SIGCONT');
    },
  };
}

function between(least: number, most: number, share: number): number {
  return least + (most - least) * share;
}
