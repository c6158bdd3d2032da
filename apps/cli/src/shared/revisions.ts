/** What a table of revisions shows; JSON has the whole resource as well. */
export const revisionFields = ['etag', 'generation', 'state', 'modifiedAt', 'modifiedBy'] as const;
