import type { ManagementClient } from '../client.ts';
import type { Fetch } from '../http.ts';
import type { Step } from '../operations.ts';
import { scanUpload, type ScanOptions, type UploadSet } from '../upload/scan.ts';
import { sendUpload } from '../upload/send.ts';
import type { PendingUpload } from '../client.ts';
import type { LocalFiles } from '@mooring/azureml/yaml';

/** What storing a draft needs. */
export interface ApplyContext {
  client: ManagementClient;
  /** For uploads, which do not go through the client. */
  fetch?: Fetch | undefined;
  signal?: AbortSignal | undefined;
  /** What is being done now, for people: uploads, assets, the server's own steps. */
  onStep?: ((step: Step) => void) | undefined;
  /** False: do not wait for long-running operations. Default true. */
  wait?: boolean | undefined;
}

export async function scan(
  files: LocalFiles,
  context: ApplyContext,
  options: Omit<ScanOptions, 'signal'> = {},
): Promise<UploadSet> {
  context.onStep?.({ step: `reading ${files.name}` });
  const set = await scanUpload(files.path, { ...options, signal: context.signal });
  return { ...set, name: files.name };
}

/** Resolves to the address of the uploaded file or folder. */
export async function upload(
  set: UploadSet,
  target: PendingUpload,
  what: string,
  context: ApplyContext,
): Promise<string> {
  const step = `uploading ${what} ${set.name} (${set.files.length} ${set.files.length === 1 ? 'file' : 'files'}, ${sizeText(set.bytes)})`;
  context.onStep?.({ step });
  return sendUpload(set, target, {
    fetch: context.fetch,
    signal: context.signal,
    onProgress: ({ bytes, bytesDone }) => {
      if (bytes > 0) context.onStep?.({ step, percentComplete: Math.floor((100 * bytesDone) / bytes) });
    },
  });
}

function sizeText(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 * 1024 ? `${(bytes / 1024).toFixed(0)} KiB` : `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
}
