import { join, resolve } from 'node:path';
import { PlatformError } from '@mooring/errors';
import type { DownloadedFiles } from '@mooring/sdk';
import { defineCommand } from '../../command.ts';
import { hasEnded, jobFlag, jobViewOf, type JobView } from '../../shared/jobs.ts';
import { nextCommand } from '../../shared/next-command.ts';
import { tableOf } from '../../table.ts';

export const command = defineCommand({
  summary: 'Bring the output of a job to this machine: predictions, errors, summary, manifest',
  about:
    'It comes to named-outputs/<output> below the folder, as with Azure: named-outputs/score of a model. Every file appears whole and is\n' +
    'compared with the manifest, which comes last.',
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
      about: 'only this output; score is that of a model',
    },
    all: { kind: 'switch', names: ['--all'], about: 'all outputs, as without --output-name' },
  },
  examples: ['mooring job download -n night-1', 'mooring job download -n night-1 --output-name score -p results'],
  async run(args, context) {
    const { downloadFolder, downloadJobOutput } = await import('@mooring/sdk');
    const client = await context.client();
    const job = await jobViewOf(await client.jobs.get(args.name, context));
    if (!hasEnded(job)) {
      context.nextStep = `wait for it: ${nextCommand('job', 'stream', '-n', job.name)}`;
      const message = `the job '${job.name}' is ${job.status}; its output is whole when it has ended`;
      throw new PlatformError('failed_precondition', 'JOB_NOT_ENDED', message);
    }
    const places = placesOf(job, args.outputName);
    const outputs: ({ output: string; path: string } & DownloadedFiles)[] = [];
    for (const [output, place] of places) {
      const path = join(resolve(args.downloadPath ?? '.'), 'named-outputs', output);
      const options = { client, signal: context.signal };
      // The output of a model has a manifest, that of a pipeline is what its steps wrote.
      const bring =
        place.container === job.output?.container && place.folder === job.output.folder
          ? downloadJobOutput
          : downloadFolder;
      const got = await context.progress((onStep) => bring(place, path, { ...options, onStep }));
      const files = got.files === 1 ? '1 file is' : `${got.files} files are`;
      context.note(`${files} in ${path}${got.present === 0 ? '' : ` (${got.present} there already)`}`);
      outputs.push({ output, path, ...got });
    }
    await context.print(
      { name: job.name, status: job.status, outputs },
      { table: () => tableOf(outputs, ['output', 'files', 'bytes', 'path']) },
    );
  },
});

interface Place {
  container: string;
  folder: string;
}

/** Where the job's outputs are in the artifact store, by name; only the asked one where one is asked for. */
function placesOf({ name, outputs = {} }: JobView, asked: string | undefined): [string, Place][] {
  const found = Object.entries(outputs).flatMap(([output, { path = '' }]): [string, Place][] => {
    const [, container, folder] = /\/datastores\/([^/]+)\/paths\/(.+)$/i.exec(path) ?? [];
    // Outputs are folders here.
    const isName = /^(?!\.{1,2}$)[^/\\\p{Cc}]+$/u.test(output);
    return container === undefined || folder === undefined || !isName ? [] : [[output, { container, folder }]];
  });
  const wanted = asked === undefined ? found : found.filter(([output]) => output === asked);
  if (wanted.length > 0) return wanted;
  const which = asked === undefined ? 'no output' : `no output '${asked.replace(/\p{Cc}/gu, '?').slice(0, 60)}'`;
  const has = found.length === 0 ? '' : `; it has: ${found.map(([output]) => output).join(', ')}`;
  throw new PlatformError('not_found', 'OUTPUT_NOT_FOUND', `the job '${name}' has ${which}${has}`);
}
