import { createHash } from 'node:crypto';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { makeJobFolders, writeJsonLines, type JobFiles } from '@mooring/batch-jobs';
import { withoutQuery, type BoundInput, type JobRecord, type JobStep, type MiniBatch } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { FoundInput } from '../input/find-input.ts';

type Find = (input: { uri: string }) => Promise<FoundInput>;

/** Where a step's data inputs are on this machine. Rejects with `not_found` where one is not there. */
export async function findStepInputs(
  { inputs }: JobStep,
  find: Find,
  files: Pick<JobFiles, 'root'>,
): Promise<Record<string, string>> {
  const paths: [string, string][] = [];
  for (const [name, input] of Object.entries(inputs)) {
    if (input.kind === 'data' && !input.direct) paths.push([name, await pathOf(name, input, find, files)]);
  }
  return Object.fromEntries(paths);
}

async function pathOf(
  name: string,
  { uri, type, ofStep }: Extract<BoundInput, { kind: 'data' }>,
  find: Find,
  { root }: Pick<JobFiles, 'root'>,
): Promise<string> {
  let found: FoundInput;
  try {
    found = await find({ uri });
  } catch (thrown) {
    const { code, reason, message } = PlatformError.from(thrown);
    if (code !== 'not_found') throw thrown;
    if (ofStep && type !== 'uri_file') {
      // The store has no empty folders.
      const empty = join(root, 'empty', name);
      await mkdir(empty, { recursive: true });
      return empty;
    }
    const why = ofStep ? 'the step before wrote nothing to that output' : message;
    throw new PlatformError(code, reason, `input '${name}' is not there: ${why}`, { cause: thrown });
  }
  if (found.glob !== undefined) {
    const message = `input '${name}' is a pattern (${withoutQuery(uri)}); a step takes a folder or a file`;
    throw new PlatformError('invalid_argument', 'INPUT_IS_PATTERN', message);
  }
  const isFolder = (await stat(found.root)).isDirectory();
  if (isFolder === (type !== 'uri_file') || type.endsWith('_model')) return found.root;
  const message = `input '${name}' is of type ${type}, and ${withoutQuery(uri)} is a ${isFolder ? 'folder' : 'file'}`;
  throw new PlatformError('invalid_argument', 'INPUT_OF_OTHER_TYPE', message);
}

/** The one mini-batch of a command, written down as those of every job are. Safe to repeat. */
export async function prepareCommandStep(
  job: JobRecord,
  paths: Readonly<Record<string, string>>,
  files: JobFiles,
): Promise<NonNullable<JobRecord['listing']>> {
  await makeJobFolders(files);
  const listing = await writeJsonLines(files.listing, inputLines(paths));
  await writeJsonLines(
    files.miniBatches,
    one({ job: job.name, attempt: 1, index: 0, firstItem: 0, items: 1, files: [] }),
  );
  return { files: listing.lines, bytes: 0, items: 1, miniBatches: 1, itemKind: 'steps', sha256: listing.sha256 };
}

async function* inputLines(paths: Readonly<Record<string, string>>): AsyncGenerator<object> {
  for (const [name, localPath] of Object.entries(paths)) yield { input: name, localPath };
}

async function* one(batch: MiniBatch): AsyncGenerator<MiniBatch> {
  yield batch;
}

/** A pipeline's items are its steps. */
export function listingOfPipeline({ pipeline }: JobRecord): NonNullable<JobRecord['listing']> {
  const steps = pipeline?.steps.length ?? 0;
  const sha256 = createHash('sha256').update(JSON.stringify(pipeline?.steps)).digest('hex');
  return { files: 0, bytes: 0, items: steps, miniBatches: steps, itemKind: 'steps', sha256 };
}
