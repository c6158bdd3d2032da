import { randomUUID } from 'node:crypto';
import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import { endpointRule, fileFlag, nameFlag, setFlag } from '../../shared/flags.ts';
import { findInputs, inputDataOf, wireType } from '../../shared/job-inputs.ts';
import { jobRule, jobViewOf, printJob } from '../../shared/jobs.ts';
import { nextCommand } from '../../shared/next-command.ts';
import { streamJob } from '../../shared/stream-job.ts';

export const command = defineCommand({
  summary: 'Make a job over files and print it',
  about:
    'Files of this machine are uploaded first; identical content is not sent twice. The flags and --set win over the file.\n' +
    'Settings without a flag: --set retry_settings.max_retries=1 retry_settings.timeout=60 error_threshold=10 logging_level=debug\n' +
    'output_action=summary_only max_concurrency_per_instance=2. A job of the same name and content is made once.',
  flags: {
    name: nameFlag('endpoint'),
    deployment: {
      kind: 'text',
      names: ['--deployment-name', '-d', '--deployment'],
      value: 'NAME',
      rule: endpointRule,
      about: 'what it runs; the default deployment if left out',
    },
    input: {
      kind: 'text',
      names: ['--input'],
      value: 'INPUT',
      about: 'file, folder or pattern of this machine, azureml:<data>:<version>, azureml://datastores/..., https://...',
    },
    inputType: {
      kind: 'text',
      names: ['--input-type'],
      value: 'TYPE',
      about: 'uri_file or uri_folder; found by itself for files of this machine',
      choices: ['uri_file', 'uri_folder'],
    },
    file: { ...fileFlag, about: 'YAML file with inputs, outputs and settings of the job' },
    set: {
      ...setFlag,
      names: ['--set', '--params-override'],
      about: 'set a field, such as inputs.x.path=photos or output_file_name=out.csv',
    },
    outputPath: {
      kind: 'text',
      names: ['--output-path'],
      value: 'PATH',
      about: 'folder for the output: azureml://datastores/workspaceblobstore/paths/<folder>',
    },
    miniBatchSize: {
      kind: 'whole',
      names: ['--mini-batch-size', '-b'],
      value: 'N',
      about: 'files that one run() gets',
      smallest: 1,
      largest: 100_000,
    },
    instanceCount: {
      kind: 'whole',
      names: ['--instance-count', '-c'],
      value: 'N',
      about: 'instances that score at once',
      smallest: 1,
      largest: 64,
    },
    jobName: { kind: 'text', names: ['--job-name'], value: 'NAME', about: 'name of the job', rule: jobRule },
    experimentName: {
      kind: 'text',
      names: ['--experiment-name'],
      value: 'NAME',
      about: 'experiment that it counts to',
    },
    stream: { kind: 'switch', names: ['--stream'], about: 'then follow it until it has ended' },
  },
  examples: [
    'mooring batch-endpoint invoke -n car-photos --input photos',
    'mooring batch-endpoint invoke -n car-photos --input "photos/*.jpg" -d luca --mini-batch-size 20 --stream',
    'mooring batch-endpoint invoke -n a-pipeline --set inputs.raw.path=photos inputs.how.value=fast',
    'mooring batch-endpoint invoke -n car-photos -f inputs.yml --set inputs.raw.path=azureml:photos:3 --job-name night-1',
  ],
  async run(args, context) {
    const { loadInvocation } = await import('@mooring/azureml/yaml');
    const { submitJob } = await import('@mooring/sdk');
    const invocation = await loadInvocation(args.file, {
      input: args.input,
      inputType: args.inputType,
      outputPath: args.outputPath,
      sets: args.set,
      fields: {
        mini_batch_size: args.miniBatchSize,
        instance_count: args.instanceCount,
        job_name: args.jobName,
        experiment_name: args.experimentName,
      },
    });
    const inputs = await findInputs(invocation);
    const client = await context.client();
    const { body: endpoint } = await client.batchEndpoints.get(args.name, context);
    const uri = endpoint.properties['scoringUri'];
    if (typeof uri !== 'string') {
      const message = `the endpoint '${args.name}' has no address for jobs yet`;
      throw new PlatformError('failed_precondition', 'NO_SCORING_URI', message);
    }
    const made = await context.progress(async (onStep) => {
      const inputData = await inputDataOf(inputs, { client, onStep, signal: context.signal });
      const outputs = invocation.outputs.map(({ name, type, path }) => [
        name,
        { jobOutputType: wireType(type), uri: path },
      ]);
      const outputData = outputs.length === 0 ? {} : { outputData: Object.fromEntries(outputs) as unknown };
      const { primaryKey } = await client.batchEndpoints.listKeys(args.name, context);
      onStep({ step: `making a job of ${args.name}` });
      return submitJob({
        uri,
        key: primaryKey,
        body: { properties: { inputData, ...outputData, ...invocation.properties } },
        deployment: args.deployment,
        // Tries of one command are one request; the name makes one job of several commands.
        idempotencyKey: randomUUID(),
        signal: context.signal,
      });
    });
    const name = made.name ?? '';
    if (args.stream) {
      context.note(`the job '${name}' runs; Ctrl-C leaves it to itself`);
      await printJob(await streamJob(name, context), context);
      return;
    }
    context.note(`follow it: ${nextCommand('job', 'stream', '-n', name)}`);
    await printJob(await jobViewOf(await client.jobs.get(name, context)), context);
  },
});
