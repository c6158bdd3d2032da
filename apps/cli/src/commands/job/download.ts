import { join, resolve } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import { hasEnded, jobFlag, jobViewOf } from '../../shared/jobs.ts';
import { nextCommand } from '../../shared/next-command.ts';

export const command = defineCommand({
  summary: 'Bring the output of a job to this machine: predictions, errors, summary, manifest',
  about:
    'It comes to named-outputs/score below the folder, as with Azure. Every file appears whole and is compared with the manifest, which comes last.',
  flags: {
    name: jobFlag,
    downloadPath: {
      kind: 'text',
      names: ['--download-path', '-p'],
      value: 'FOLDER',
      about: 'where to (the current folder)',
    },
    outputName: {
      kind: 'text',
      names: ['--output-name'],
      value: 'OUTPUT',
      about: 'score, the output that jobs have',
    },
    all: { kind: 'switch', names: ['--all'], about: 'everything, which is the same' },
  },
  examples: ['mooring job download -n night-1', 'mooring job download -n night-1 --output-name score -p results'],
  async run(args, context) {
    const { downloadJobOutput } = await import('@mooring/sdk');
    const client = await context.client();
    const job = await jobViewOf(await client.jobs.get(args.name, context));
    if (!hasEnded(job)) {
      context.nextStep = `wait for it: ${nextCommand('job', 'stream', '-n', job.name)}`;
      const message = `the job '${job.name}' is ${job.status}; its output is whole when it has ended`;
      throw new PlatformError('failed_precondition', 'JOB_NOT_ENDED', message);
    }
    const { outputName = 'score' } = args;
    if (outputName !== 'score') {
      const message = `the job '${job.name}' has no output '${outputName.slice(0, 60)}'; it has: score`;
      throw new PlatformError('not_found', 'OUTPUT_NOT_FOUND', message);
    }
    const { container = '', folder = '' } = job.output ?? {};
    const target = join(resolve(args.downloadPath ?? '.'), 'named-outputs', outputName);
    const got = await context.progress((onStep) =>
      downloadJobOutput({ container, folder }, target, { client, onStep, signal: context.signal }),
    );
    context.note(
      `${got.files} files are in ${target}${got.present === 0 ? '' : ` (${got.present} were there already)`}`,
    );
    await context.print({ name: job.name, status: job.status, output: outputName, path: target, ...got });
  },
});
