import type { InstanceStatus } from '@mooring/domain';

/** How an instance ended, with what is known of why. */
export interface Ended {
  /** Absent when the process was not our child (adopted after a restart), so that nobody told. */
  exitCode?: number;
  signal?: string;
  /** The controller ended it, and says why: `used 2.1 GiB, over its memory limit of 2 GiB`. */
  endedBecause?: string;
  /** The kernel ended it for going over its memory limit, in MiB. */
  outOfMemoryLimitMib?: number;
  /** What `status.json` said last. */
  status?: InstanceStatus;
  /** The last lines that it wrote, oldest first. */
  lastLines: readonly string[];
}

const signalNumbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
  SIGXCPU: 24,
  SIGXFSZ: 25,
};

const words: Readonly<Record<number, string>> = {
  0: 'it ended by itself although it should serve',
  126: 'its program may not be executed',
  127: 'its program was not found',
  129: 'hang-up (SIGHUP)',
  130: 'interrupted (SIGINT)',
  132: 'illegal instruction: built for another processor',
  134: 'aborted (SIGABRT)',
  135: 'bus error',
  136: 'arithmetic error (SIGFPE)',
  137: 'killed from outside (SIGKILL)',
  139: 'segmentation fault',
  143: 'ended from outside (SIGTERM)',
  152: 'used up its CPU time',
  153: 'wrote a file larger than allowed',
};

/** The exit code as a shell shows it: a signal counts as 128 plus its number. */
function exitCodeOf(ended: Ended): number | undefined {
  if (ended.exitCode !== undefined) return ended.exitCode;
  const number = signalNumbers[ended.signal ?? ''];
  return number === undefined ? undefined : 128 + number;
}

/** What happened, without why: `exited 139`. */
export function whatEnded(ended: Ended): string {
  if (ended.endedBecause !== undefined) return 'was ended';
  if (ended.outOfMemoryLimitMib !== undefined) return 'was killed';
  const code = exitCodeOf(ended);
  if (code !== undefined) return `exited ${code}`;
  return ended.signal === undefined ? 'was gone' : `ended by ${ended.signal}`;
}

/** Why, for people: `segmentation fault in model load`. */
export function whyEnded(ended: Ended): string {
  if (ended.endedBecause !== undefined) return ended.endedBecause;
  if (ended.outOfMemoryLimitMib !== undefined) {
    return `it needed more memory than its limit of ${mib(ended.outOfMemoryLimitMib)} ${phaseOf(ended)}`;
  }
  if (ended.status?.state === 'failed' && ended.status.message !== undefined) return ended.status.message;
  const code = exitCodeOf(ended);
  const known = code === undefined ? undefined : words[code];
  const lastLine = ended.lastLines.findLast((line) => line.trim() !== '');
  if (known !== undefined) return `${known} ${phaseOf(ended)}`;
  if (lastLine !== undefined) return `its last words ${phaseOf(ended)}: ${lastLine.trim().slice(0, 500)}`;
  return `it said nothing ${phaseOf(ended)}`;
}

/** What the instance was doing. */
function phaseOf(ended: Ended): string {
  if (ended.status === undefined) return 'while starting';
  return ended.status.state === 'ready' ? 'while serving' : 'in model load';
}

/** Azure's code for a deployment that failed in this way (azureml-contract 3.2.6). */
export function azureCodeOf(ended: Ended): string {
  if (ended.outOfMemoryLimitMib !== undefined || /memory limit/.test(ended.endedBecause ?? '')) return 'PodOutOfMemory';
  if (ended.status?.state === 'failed' && ended.status.code !== undefined) return ended.status.code;
  return 'DeploymentCrashLoopBackOff';
}

/** 2048 -> `2 GiB`, 100 -> `100 MiB`. */
export function mib(amount: number): string {
  if (amount < 1024) return `${Math.round(amount)} MiB`;
  return `${(amount / 1024).toFixed(1).replace(/\.0$/, '')} GiB`;
}
