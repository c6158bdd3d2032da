import type { TestManagement } from './test-management.ts';

/** Uploads files below `LocalUpload/<folder>/`, as clients do, and gives the address that an asset refers to. */
export async function uploadFolder(
  management: TestManagement,
  folder: string,
  files: Readonly<Record<string, string>>,
): Promise<string> {
  const { base, query } = await startUpload(management);
  for (const [name, content] of Object.entries(files)) {
    const path = new URL(`${base}/LocalUpload/${folder}/${name}${query}`);
    const answer = await management.send('PUT', path.pathname + path.search, {
      token: 'none',
      raw: content,
      headers: { 'x-ms-blob-type': 'BlockBlob' },
    });
    if (answer.status !== 201) throw new Error(`the upload was answered ${answer.status}: ${answer.text}`);
  }
  return `${base}/LocalUpload/${folder}`;
}

/** An address to upload to: the container's, and the query that gives the right to. */
export async function startUpload(management: TestManagement): Promise<{ base: string; query: string }> {
  const { json } = await management.send('POST', 'codes/any/versions/1/startPendingUpload', {
    body: { pendingUploadType: 'TemporaryBlobReference' },
  });
  const { blobUri, credential } = json.blobReferenceForConsumption;
  return { base: blobUri as string, query: new URL(credential.sasUri as string).search };
}
