import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Logger } from 'pino';
import type { BoundOutput, JobOutput, JobRecord, JobVerification } from '@mooring/domain';
import type { ArtifactStore } from '@mooring/storage';
import { moved } from '../domain/job-state.ts';
import {
  jsonBytes,
  manifestHead,
  manifestText,
  readManifest,
  type Manifest,
  type ManifestHead,
} from '../output/manifest.ts';
import { addNote, addProblem, concluded, newVerification } from '../output/verification.ts';
import { verifyJob, type VerifyDeps } from '../output/verify.ts';
import type { JobBook } from '../run/job-book.ts';
import { stepJobs, type Pipeline } from './step-job.ts';

/** `manifest.json` of a pipeline's job: which steps there were, and by which manifest each of them proves what it wrote. Written last. */
export interface PipelineManifest extends ManifestHead {
  pipeline: string;
  /** Steps. */
  items: Manifest['items'];
  steps: readonly StepProof[];
  outputs: Readonly<Record<string, BoundOutput>>;
}

interface StepProof {
  step: string;
  /** Absent for one that did not begin. */
  job?: string;
  status?: JobRecord['status'];
  output: JobOutput;
  /** SHA-256 of its own manifest; absent where it has none, because it never ran. */
  manifestSha256?: string;
}

export interface PipelineDeps {
  book: JobBook;
  store: ArtifactStore;
  clock: () => Date;
  log: Logger;
}

/** Writes the manifest and ends the job. Repeating it is safe. */
export async function finishPipeline(deps: PipelineDeps, job: Pipeline, signal: AbortSignal): Promise<void> {
  const jobs = await stepJobs(deps.book, job);
  const steps: StepProof[] = [];
  for (const { name, output } of job.pipeline.steps) {
    signal.throwIfAborted();
    const own = jobs.get(name);
    const text = own && (await manifestText(deps.store, output));
    steps.push({
      step: name,
      ...(own && { job: own.name, status: own.status }),
      output,
      ...(text === undefined ? {} : { manifestSha256: digestOf(text) }),
    });
  }
  const count = (status: JobRecord['status']): number => steps.filter((step) => step.status === status).length;
  const [succeeded, failed] = [count('Completed'), count('Failed')];
  const manifest: PipelineManifest = {
    ...manifestHead(job, deps.clock()),
    pipeline: job.pipeline.component,
    items: { in: steps.length, succeeded, failed, skipped: steps.length - succeeded - failed },
    steps,
    outputs: job.pipeline.outputs,
  };
  const bytes = jsonBytes(manifest);
  const { container, folder } = job.output;
  await deps.store.put(container, `${folder}/manifest.json`, Readable.from([bytes]), { maxBytes: bytes.byteLength });
  await deps.book.change(job.name, (now) => {
    if (now.status !== 'Finalizing') return undefined;
    const { ending = 'Failed', ...rest } = now;
    const { in: _in, ...items } = manifest.items;
    return moved({ ...rest, progress: { ...now.progress, ...items } }, ending, deps.clock());
  });
  deps.log.info({ job: job.name, status: job.ending, steps: manifest.items }, 'batch job of a pipeline ended');
}

/**
 * Proves each step as the job that it is, and that its manifest is the one that the pipeline's names. Rejects where the pipeline has no
 * manifest.
 */
export async function verifyPipeline(
  deps: VerifyDeps & { book: JobBook },
  job: Pipeline,
  signal: AbortSignal,
): Promise<JobVerification> {
  const manifest = await readManifest<PipelineManifest>(deps.store, job);
  const report = newVerification(job.name, manifest.items);
  const { in: all, succeeded, failed, skipped } = manifest.items;
  if (manifest.steps.length !== all || all !== succeeded + failed + skipped)
    addProblem(report, `${all} steps are not its succeeded, failed and skipped ones`);
  for (const { step, job: name, status, output, manifestSha256 } of manifest.steps) {
    signal.throwIfAborted();
    if (manifestSha256 === undefined) {
      if (status === 'Completed') addProblem(report, `step '${step}' completed and has no manifest`);
      continue;
    }
    const own = await manifestText(deps.store, output);
    if (own === undefined || digestOf(own) !== manifestSha256) {
      addProblem(report, `the manifest of step '${step}' is not the one that was written`);
      continue;
    }
    const stepOwn = await deps.book.find(name ?? '');
    if (stepOwn === undefined) {
      addProblem(report, `the job of step '${step}' is not there any more`);
      continue;
    }
    add(report, await verifyJob(deps, stepOwn, signal), step);
  }
  return concluded(report);
}

function add(report: JobVerification, own: JobVerification, step: string): void {
  for (const count of ['miniBatches', 'missing', 'twice', 'filesRead', 'bytesRead'] as const)
    report[count] += own[count];
  for (const problem of own.problems) addProblem(report, `step '${step}': ${problem}`);
  for (const note of own.notes) addNote(report, `step '${step}': ${note}`);
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
