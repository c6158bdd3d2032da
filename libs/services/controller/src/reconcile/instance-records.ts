import { kvKey, type InstanceRecord } from '@mooring/domain';
import { canonicalJson } from '../domain/spec-digest.ts';

/** The part of a bucket that is used here. */
export interface RecordBucket {
  put(key: string, value: InstanceRecord): Promise<unknown>;
  delete(key: string): Promise<void>;
}

/** The records of one deployment's instances as they were last written, so that only differences are. */
export class InstanceRecords {
  private readonly bucket: RecordBucket;
  private readonly written = new Map<string, string>();

  constructor(bucket: RecordBucket) {
    this.bucket = bucket;
  }

  /** A record that an earlier controller wrote. */
  seed(key: string, record: InstanceRecord): void {
    this.written.set(key, canonicalJson(record));
  }

  /** Makes the bucket hold exactly `records`. Rejects when it cannot be reached; then call it again. */
  async sync(records: readonly InstanceRecord[]): Promise<void> {
    const wanted = new Map(
      records.map((record) => [kvKey(record.endpoint, record.deployment, record.id), record] as const),
    );
    for (const [key, record] of wanted) {
      const text = canonicalJson(record);
      if (this.written.get(key) === text) continue;
      await this.bucket.put(key, record);
      this.written.set(key, text);
    }
    for (const key of this.written.keys()) {
      if (wanted.has(key)) continue;
      await this.bucket.delete(key);
      this.written.delete(key);
    }
  }
}
