/** Why nothing of a file can be read: the reason and message of ItemError. Never leaves this library. */
export class FileProblem extends Error {
  override readonly name = 'FileProblem';
  readonly reason: 'BadFile' | 'FileChanged' | 'FileUnreadable';

  constructor(reason: FileProblem['reason'], message: string) {
    super(message);
    this.reason = reason;
  }
}

export function badFile(message: string): FileProblem {
  return new FileProblem('BadFile', message);
}

const errnoWords: Readonly<Record<string, string>> = {
  EACCES: 'this process has no permission',
  EISDIR: 'it is a folder',
  EIO: 'the disk failed',
};

/** What a read threw, as a problem of the file; what is none is thrown on. */
export function fileProblemOf(thrown: unknown): FileProblem {
  if (thrown instanceof FileProblem) return thrown;
  const { code } = thrown as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return new FileProblem('FileChanged', 'is gone since it was listed');
  if (code === 'ELOOP') return new FileProblem('FileChanged', 'is a link now');
  if (typeof code === 'string' && /^E[A-Z]+$/.test(code))
    return new FileProblem('FileUnreadable', `cannot be read: ${errnoWords[code] ?? code}`);
  throw thrown;
}
