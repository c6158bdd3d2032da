import { runCli } from './cli.ts';
import type { Io } from './context.ts';

const io: Io = {
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
  isTty: process.stderr.isTTY === true,
  // A terminal that does not know its width says 0.
  columns: process.stderr.columns || 80,
  stdin: async () => {
    const { gathered } = await import('./shared/request-body.ts');
    return gathered(process.stdin, 'standard input');
  },
  ...(process.stdin.isTTY === true ? { ask } : {}),
};

async function ask(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises');
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question);
  } finally {
    lines.close();
  }
}

const cancel = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    // The second time the user means it.
    if (cancel.signal.aborted) process.exit(130);
    cancel.abort();
  });
}
// `mooring ... | head` closes the pipe early; that is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCli(process.argv.slice(2), io, cancel.signal);
