import { extname } from 'node:path';
import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import { endpointRule, localFlag, nameFlag } from '../../shared/flags.ts';
import { readRequestFile } from '../../shared/request-body.ts';

const contentTypes: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.txt': 'text/plain',
  '.csv': 'text/csv',
  '.jpg': 'image/jpeg',
  '.jpeg': 'image/jpeg',
  '.png': 'image/png',
};

/** Errors that the deployment's logs explain. */
const faultsOfModel = new Set(['model_failed', 'scoring_timeout', 'deadline_exceeded', 'unavailable', 'internal']);

export const command = defineCommand({
  summary: 'Send one scoring request and print the answer',
  about: 'The file is sent byte by byte as it is. The deployment that answered is named on stderr.',
  flags: {
    name: nameFlag('endpoint'),
    requestFile: {
      kind: 'text',
      names: ['--request-file', '-r'],
      value: 'FILE',
      about: 'body of the request; - reads standard input',
      required: true,
    },
    deployment: {
      kind: 'text',
      names: ['--deployment-name', '-d', '--deployment'],
      value: 'NAME',
      rule: endpointRule,
      about: 'send to this deployment, whatever its traffic',
    },
    local: localFlag,
  },
  examples: [
    'mooring online-endpoint invoke -n cars --request-file photo.json',
    'mooring online-endpoint invoke -n cars -r photo.json -d luca',
  ],
  async run(args, context) {
    const { score } = await import('@mooring/sdk');
    const body = args.requestFile === '-' ? await context.io.stdin() : await readRequestFile(args.requestFile);
    const client = await context.client();
    const endpoint = await client.onlineEndpoints.get(args.name, context);
    const uri = endpoint.body.properties['scoringUri'];
    if (typeof uri !== 'string')
      throw new PlatformError(
        'failed_precondition',
        'NO_SCORING_URI',
        `the endpoint '${args.name}' has no scoring address yet`,
      );
    const { primaryKey } = await client.onlineEndpoints.listKeys(args.name, context);
    const contentType =
      contentTypes[extname(args.requestFile).toLowerCase()] ??
      (looksLikeJson(body) ? 'application/json' : 'application/octet-stream');
    const answer = await score({
      uri,
      key: primaryKey,
      body,
      contentType,
      deployment: args.deployment,
      signal: context.signal,
    }).catch((thrown: unknown) => {
      const { code = '' } = thrown as { code?: string };
      if (faultsOfModel.has(code)) {
        const logs = `mooring online-deployment get-logs -e ${args.name} -n ${args.deployment ?? '<deployment>'}`;
        context.nextStep = `read its logs: ${logs}`;
      }
      throw thrown;
    });
    if (answer.deployment !== undefined) context.note(`azureml-model-deployment: ${answer.deployment}`);
    if (context.formatAsked && answer.contentType.includes('json')) {
      await context.print(JSON.parse(answer.body.toString('utf8')));
      return;
    }
    context.printText(answer.body);
    if (answer.contentType.includes('json')) context.printText('\n');
  },
});

function looksLikeJson(body: Buffer): boolean {
  return /^\s*[{["\d]/.test(body.subarray(0, 64).toString('latin1'));
}
