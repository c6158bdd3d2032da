import { isRequestId, requestIdRule } from '@mooring/domain';
import type { ExplainedRequest } from '@mooring/sdk';
import { defineCommand } from '../../command.ts';
import { explainedText } from '../../shared/explained-text.ts';

export const command = defineCommand({
  summary: 'Why a request was answered as it was, by whom, and where its time went',
  about:
    'ID is the x-request-id of the answer, or the id that the caller sent (x-ms-client-request-id; gRPC: the id of the message).\n' +
    'Each data-plane process keeps its last 2,000 requests that went well and the last 2,000 that failed, in memory.',
  flags: {
    id: {
      kind: 'text',
      names: ['--id'],
      value: 'ID',
      about: 'id of the request; the flag itself may be left out (one that begins with a dash: -- ID)',
      required: true,
      bare: true,
      rule: { test: isRequestId, expected: requestIdRule },
    },
  },
  examples: [
    'mooring request explain 0b7e6a52-35a8-4f6f-9d0e-6b8f3f5a1c11',
    'mooring request explain my-own-id-7 -o json --query [0].parts',
  ],
  async run(args, context) {
    const client = await context.client();
    const requests: ExplainedRequest[] = await client.explainRequest(args.id, context);
    await context.print(requests, { output: 'table', table: () => explainedText(requests) });
  },
});
