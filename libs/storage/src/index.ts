export type {
  ArtifactEntry,
  ArtifactHead,
  ArtifactPage,
  ArtifactStore,
  ByteSource,
  PutOptions,
} from './artifact-store.ts';
export { createFolderStore } from './folder-store.ts';
export { isArtifactPath, isContainerName } from './safe-names.ts';
export { sha256Tree } from './sha256-tree.ts';
