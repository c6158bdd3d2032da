const signals: Readonly<Record<string, string>> = {
  SIGSEGV: 'segmentation fault, usually in native code',
  SIGKILL: 'killed, often because memory ran out',
  SIGABRT: 'aborted, usually by native code',
  SIGBUS: 'bus error, usually in native code',
  SIGFPE: 'arithmetic error in native code',
  SIGILL: 'illegal instruction: a package was built for another processor',
  SIGTERM: 'asked to end',
  SIGXCPU: 'CPU time limit',
};

/** How a process ended, in words: `exited 3`, `was ended by SIGSEGV (segmentation fault, ...)`. */
export function exitWords(code: number | null, signal: string | null): string {
  if (signal === null) return `exited ${code ?? 'without a status'}`;
  const meaning = signals[signal];
  return `was ended by ${signal}${meaning === undefined ? '' : ` (${meaning})`}`;
}
