import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../command.ts';
import { nextCommand } from '../shared/next-command.ts';

interface Restarted {
  process: string;
  oldPid?: number;
  pid?: number;
  readyMs: number;
  drainMs: number;
}

export const command = defineCommand({
  summary: 'Replace processes of the running platform, one by one; no request is refused or lost',
  about: [
    'Without a name all but NATS are replaced. A new process takes over the listening sockets once it is ready; the old',
    'one finishes what is open. Models stay loaded: their processes are not touched.',
  ].join('\n'),
  flags: {
    name: {
      kind: 'text',
      names: ['--name', '-n'],
      value: 'NAME',
      bare: true,
      about: 'edge, control, a service such as router, a process such as edge-2, or nats',
    },
    timeout: {
      kind: 'whole',
      names: ['--timeout'],
      value: 'SECONDS',
      about: 'how long to wait (900); the platform goes on all the same',
      smallest: 1,
      largest: 86_400,
    },
  },
  examples: ['mooring restart', 'mooring restart edge', 'mooring restart router -o json'],
  async run(args, context) {
    const { runningPlatform } = await import('../shared/platform-process.ts');
    const { askSupervisor } = await import('../shared/supervisor-command.ts');
    const { folder } = await context.settings();
    if (runningPlatform(folder) === undefined) {
      context.nextStep = `start it: ${nextCommand('up', '--data', folder.root)}`;
      throw new PlatformError('failed_precondition', 'NOT_RUNNING', `no platform runs on ${folder.root}`);
    }
    const asked = { restart: args.name === undefined ? {} : { process: args.name } };
    const timeoutMs = (args.timeout ?? 900) * 1000;
    const restarted = await context.progress((onStep) =>
      askSupervisor<readonly Restarted[]>(folder, asked, {
        timeoutMs,
        signal: context.signal,
        onStep: (step) => onStep({ step }),
      }),
    );
    await context.print(
      restarted.map(({ process, oldPid, pid, readyMs, drainMs }) => ({
        process,
        old_pid: oldPid,
        pid,
        ready_ms: readyMs,
        drain_ms: drainMs,
      })),
      { output: 'table' },
    );
  },
});
