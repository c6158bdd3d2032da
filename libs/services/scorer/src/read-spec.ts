import type { Readable } from 'node:stream';
import type { InstanceSpec } from '@mooring/domain';
import { z } from 'zod';

const specBytesMax = 4 * 2 ** 20;
const specDeadlineMs = 30_000;

const count = z.number().int().positive();
const path = z.string().startsWith('/');

/** What the scorer itself reads; the runtimes read the rest as the controller wrote it. */
const schema = z.looseObject({
  instanceId: z.string().min(1),
  endpoint: z.string().min(1),
  deployment: z.string().min(1),
  socketPath: path,
  instanceDir: path,
  runtime: z.discriminatedUnion('kind', [
    z.looseObject({ kind: z.literal('onnx'), file: path }),
    z.looseObject({
      kind: z.literal('python'),
      interpreter: z.string().min(1),
      codeDir: path,
      scoringScript: z.string(),
    }),
  ]),
  environmentVariables: z.record(z.string(), z.string()),
  requestSettings: z.looseObject({ requestTimeoutMs: count, maxConcurrentRequestsPerInstance: count }),
  settings: z.looseObject({ batchMaxRows: count, maxRequestBytes: count, maxResponseBytes: count }),
  threads: count,
  orphanTimeoutMs: count,
});

/** Reads the InstanceSpec from `input` up to its end. Rejects when it is late, too long, or not one. */
export async function readSpec(input: Readable): Promise<InstanceSpec> {
  const timer = setTimeout(
    () => input.destroy(new Error('no instance specification came within 30 s')),
    specDeadlineMs,
  );
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of input) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > specBytesMax) throw new Error(`the instance specification has more than ${specBytesMax} bytes`);
    }
  } finally {
    clearTimeout(timer);
  }
  const parsed = schema.safeParse(parseJson(Buffer.concat(chunks).toString('utf8')));
  if (!parsed.success) throw new Error(`not an instance specification: ${z.prettifyError(parsed.error)}`);
  return parsed.data as unknown as InstanceSpec;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not the text itself: it may hold secrets.
    throw new Error('the instance specification on standard input is not JSON');
  }
}
