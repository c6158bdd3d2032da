/** Bytes as they come from a socket or a file. */
export type ByteSource = AsyncIterable<Uint8Array>;

/** What is known of a stored artifact without reading it. */
export interface ArtifactHead {
  bytes: number;
  /** Changes with every write of the content. */
  etag: string;
  modifiedAt: Date;
  /** Free text by lower-case name, as blob metadata. */
  metadata: Readonly<Record<string, string>>;
}

export interface ArtifactEntry extends ArtifactHead {
  /** Path below the container. */
  path: string;
}

export interface ArtifactPage {
  entries: ArtifactEntry[];
  /** Give it back as `after` for what follows; absent at the end. */
  next?: string;
}

export interface PutOptions {
  /** Largest content; one byte more rejects with `too_large` and leaves nothing behind. */
  maxBytes: number;
  /** The content's MD5 as the sender knows it; another one rejects with `invalid_argument`/`MD5_MISMATCH`. */
  md5Base64?: string;
  metadata?: Readonly<Record<string, string>>;
}

/**
 * Files of models, code and environments, by container and path. A write is seen whole or not at all. Names that would
 * lead outside reject with `invalid_argument`; what is absent with `not_found`/`ARTIFACT_NOT_FOUND`. What is sealed, or
 * whose metadata says `upload_status: completed`, is written once: the same content again changes nothing and succeeds,
 * any other rejects with `already_exists`/`BLOB_IMMUTABLE`.
 */
export interface ArtifactStore {
  put(container: string, path: string, source: ByteSource, options: PutOptions): Promise<ArtifactHead>;
  /** Undefined when there is no such artifact. */
  head(container: string, path: string): Promise<ArtifactHead | undefined>;
  /** `end` is the last byte, counted from 0, inclusive. The stream must be read or destroyed. */
  get(
    container: string,
    path: string,
    range?: { start: number; end: number },
  ): Promise<{ head: ArtifactHead; content: NodeJS.ReadableStream & ByteSource & { destroy(): void } }>;
  setMetadata(container: string, path: string, metadata: Readonly<Record<string, string>>): Promise<void>;
  /** Artifacts whose path begins with `prefix`, by path; at most `max`. */
  list(container: string, options: { prefix?: string; after?: string; max: number }): Promise<ArtifactPage>;
  /** Keeps one part of an artifact until `commitBlocks` names it. Parts that nobody names are removed after a day. */
  putBlock(container: string, path: string, blockId: string, source: ByteSource, options: PutOptions): Promise<void>;
  /** Makes the artifact of its parts, in this order. */
  commitBlocks(
    container: string,
    path: string,
    blockIds: readonly string[],
    options: PutOptions,
  ): Promise<ArtifactHead>;
  /**
   * From now on nothing at `container/path` changes, and no file is added below it. Sealing again changes nothing. Gives
   * the digest that is recorded of it, if one is.
   */
  seal(place: string): Promise<string | undefined>;
  /** Keeps the digest of what is sealed at `container/path`; one that is kept already stays, and is given back. */
  recordDigest(place: string, digest: string): Promise<string>;
  /** What lies at `container/path`: a file, a folder, or nothing. */
  kindOf(place: string): Promise<'file' | 'folder' | undefined>;
  /** Absolute path on this machine of a file or folder, for whoever loads it; rejects with `not_found`. */
  localPath(container: string, path: string): Promise<string>;
}
