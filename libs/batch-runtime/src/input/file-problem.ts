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

/** What is the file's own; of all else, as too many open files, another try may be free. */
const errnoWords: Readonly<Record<string, string>> = {
  EACCES: 'this process has no permission',
  EPERM: 'this process has no permission',
  EISDIR: 'it is a folder',
  EIO: 'the disk failed',
  ENXIO: 'it is no plain file',
  ENODEV: 'it is no plain file',
  ESTALE: 'the network folder that it is in has changed',
};

/** What a read threw, as a problem of the file; what is none is thrown on. */
export function fileProblemOf(thrown: unknown): FileProblem {
  if (thrown instanceof FileProblem) return thrown;
  const code = String((thrown as NodeJS.ErrnoException).code);
  if (code === 'ENOENT' || code === 'ENOTDIR') return new FileProblem('FileChanged', 'is gone since it was listed');
  if (code === 'ELOOP') return new FileProblem('FileChanged', 'is a link now');
  const words = Object.hasOwn(errnoWords, code) ? errnoWords[code] : undefined;
  if (words === undefined) throw thrown;
  return new FileProblem('FileUnreadable', `cannot be read: ${words}`);
}
