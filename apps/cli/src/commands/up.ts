import { PlatformError } from '@mooring/errors';
import { defineCommand, type TextRule } from '../command.ts';
import { nextCommand } from '../shared/next-command.ts';

const address: TextRule = {
  test: (value) => {
    const [, host, port] = /^(\[[\da-fA-F:.]+\]|[\w.-]+):(\d{1,5})$/.exec(value) ?? [];
    return host !== undefined && Number(port) <= 65_535;
  },
  expected: 'host:port, such as 127.0.0.1:8080, or port 0 for a free one',
};

const natsAddress: TextRule = {
  test: (value) => /^(nats|tls):$/.test(URL.parse(value)?.protocol ?? ''),
  expected: 'an address such as nats://user:password@127.0.0.1:4222',
};

export const upFlags = {
  http: {
    kind: 'text',
    names: ['--http'],
    value: 'HOST:PORT',
    about: 'REST of the data plane (127.0.0.1:8080)',
    rule: address,
  },
  grpc: {
    kind: 'text',
    names: ['--grpc'],
    value: 'HOST:PORT',
    about: 'gRPC of the data plane (127.0.0.1:8081)',
    rule: address,
  },
  management: {
    kind: 'text',
    names: ['--management'],
    value: 'HOST:PORT',
    about: 'management REST and metrics (127.0.0.1:8082)',
    rule: address,
  },
  nats: {
    kind: 'text',
    names: ['--nats'],
    value: 'URL',
    about: 'use this NATS instead of an own one; its account here, or in MOORING_NATS_USER and _PASSWORD',
    rule: natsAddress,
  },
  topology: {
    kind: 'text',
    names: ['--topology'],
    value: 'TOPOLOGY',
    about: 'default; single: one process; split: every service in its own',
    choices: ['default', 'single', 'split'],
  },
  edge: {
    kind: 'whole',
    names: ['--edge'],
    value: 'N',
    about: 'data-plane processes on the same ports (one for every 4 cores)',
    smallest: 1,
    largest: 64,
  },
  timeout: {
    kind: 'whole',
    names: ['--timeout'],
    value: 'SECONDS',
    about: 'with --detach: how long to wait (120)',
    smallest: 1,
    largest: 3600,
  },
} as const;

export const command = defineCommand({
  summary: 'Start the platform',
  about: 'Prints `ready http=... grpc=... management=...` when it serves. Port 0 takes a free one. Ctrl-C stops it.',
  flags: {
    ...upFlags,
    detach: { kind: 'switch', names: ['--detach'], about: 'return when it serves; `down` stops it' },
  },
  examples: ['mooring up', 'mooring up --data ./data --http 127.0.0.1:0 --detach'],
  async run(args, context) {
    const { runningPlatform, runPlatform, startDetached } = await import('../shared/platform-process.ts');
    const { checkPorts } = await import('../shared/free-ports.ts');
    const { folder } = await context.settings();
    const running = runningPlatform(folder);
    if (running !== undefined) {
      context.nextStep = `use it as it is, or stop it first: ${nextCommand('down', '--data', folder.root)}`;
      throw new PlatformError(
        'already_exists',
        'ALREADY_RUNNING',
        `a platform runs on ${folder.root} already (process ${running.pid}, ${running.management})`,
      );
    }
    await checkPorts(args);
    if (args.detach) {
      const timeoutMs = (args.timeout ?? 120) * 1000;
      const line = await context.progress((onStep) => {
        onStep({ step: 'starting the platform' });
        return startDetached(folder, args, timeoutMs, context.signal);
      });
      context.printText(`${line}\n`);
      return;
    }
    const code = await runPlatform(folder, args, context.signal);
    if (code !== 0 && !context.signal.aborted)
      throw new PlatformError('unavailable', 'PLATFORM_ENDED', `the platform ended with status ${code}`);
  },
});
