import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import { jobFlag } from '../../shared/jobs.ts';
import { verificationShape, verificationText } from '../../shared/verification-text.ts';

export const command = defineCommand({
  summary: 'Prove that each item of a job’s input is in its output once',
  about:
    'Reads everything that the job wrote and compares it with its manifest and with the record of each mini-batch. Ends with 1 where that is not so.',
  flags: { name: jobFlag },
  examples: ['mooring job verify -n night-1', 'mooring job verify -n night-1 -o json --query problems'],
  async run(args, context) {
    const client = await context.client();
    const verification = await context.progress((onStep) => {
      onStep({ step: `reading everything that ${args.name} wrote` });
      return client.jobs.verify(args.name, context);
    });
    await context.print(verificationShape(verification), {
      output: 'table',
      table: () => verificationText(verification),
    });
    if (verification.ok) return;
    context.nextStep =
      'keep the data folder as it is, and look at what it says above: the output is not what was written';
    const count = verification.problems.length;
    const message = `the output of '${args.name}' is not proven: ${count} ${count === 1 ? 'problem' : 'problems'}`;
    throw new PlatformError('internal', 'OUTPUT_NOT_PROVEN', message);
  },
});
