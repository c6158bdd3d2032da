import { workspaceId } from '@mooring/azureml/arm';
import { refusal, type ResourceKind } from '@mooring/domain';
import { nameProblems } from '../domain/refusal.ts';
import { ok, type Handler } from '../http/call.ts';
import type { UploadGrants } from '../upload-grants.ts';
import { versionNames } from './assets.ts';

/** Every upload goes to the default datastore's container; its folders are named by content. */
const uploadContainer = 'workspaceblobstore';

/** Where the files of a new version go: an address that may be written to for a while. */
export function createStartPendingUpload(grants: UploadGrants, kind: ResourceKind, uuid: () => string): Handler {
  return async (call) => {
    const problems = nameProblems(kind, versionNames(call));
    const type = (call.body as { pendingUploadType?: unknown } | undefined)?.pendingUploadType;
    if (type !== undefined && type !== 'TemporaryBlobReference') {
      const expected = 'TemporaryBlobReference';
      problems.push({ path: 'pendingUploadType', problem: 'is not allowed', expected });
    }
    if (problems.length > 0) throw refusal('the upload', problems);
    const blobUri = `${call.baseUrl}/blob/${uploadContainer}`;
    const signed = await grants.issue(uploadContainer);
    const body = {
      pendingUploadId: uuid(),
      pendingUploadType: 'TemporaryBlobReference',
      blobReferenceForConsumption: {
        blobUri,
        storageAccountArmId: `${workspaceId(call.workspace)}/datastores/${uploadContainer}`,
        credential: { credentialType: 'SAS', sasUri: `${blobUri}?${signed.toString()}` },
      },
    };
    return ok(body, { 'cache-control': 'no-store' });
  };
}
