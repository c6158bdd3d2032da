import { join } from 'node:path';
import { PlatformError } from '@mooring/errors';
import type { ManagementClient } from '../client.ts';
import { downloadBlob } from './blob.ts';
import { isInside } from './is-inside.ts';
import type { DownloadedFiles, OutputOptions } from './job-output.ts';

interface FolderOptions extends OutputOptions {
  client: Pick<ManagementClient, 'openBlob' | 'listBlobs'>;
}

/**
 * Brings all files of a folder of the artifact store (or the one file that has its name) into `target`, each whole and of the size that
 * was listed. Rejects with NO_OUTPUT where there is none.
 */
export async function downloadFolder(
  { container, folder }: { container: string; folder: string },
  target: string,
  { client, signal, onStep }: FolderOptions,
): Promise<DownloadedFiles> {
  const got: DownloadedFiles = { files: 0, bytes: 0, present: 0 };
  const onBytes = (bytes: number): void => void (got.bytes += bytes);
  for await (const { path, bytes } of client.listBlobs(container, folder, { signal })) {
    const file = path === folder ? path.slice(path.lastIndexOf('/') + 1) : path.slice(folder.length + 1);
    // Folders whose names begin with this one's are listed, too.
    if (path !== folder && !path.startsWith(`${folder}/`)) continue;
    if (!isInside(file)) {
      const shown = file.replace(/\p{Cc}/gu, '?').slice(0, 100);
      throw new PlatformError(
        'failed_precondition',
        'BAD_FILE_NAME',
        `the output holds a file named '${shown}', which is not written here`,
      );
    }
    onStep?.({ step: `downloading ${file}` });
    await downloadBlob({ container, path, bytes }, join(target, file), { client, signal, onBytes });
    got.files += 1;
  }
  if (got.files > 0) return got;
  throw new PlatformError('failed_precondition', 'NO_OUTPUT', `there is nothing at ${container}/${folder}`);
}
