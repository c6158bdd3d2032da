import { parseOptions, usage, UsageError } from './cli.ts';
import { runBench } from './bench.ts';
import { listText } from './list.ts';

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    process.stderr.write('stopping; what was started is being ended\n');
    interrupt.abort(new Error('interrupted'));
  });
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else if (options === 'list') process.stdout.write(listText());
  else {
    const { leftOut } = await runBench(options, interrupt.signal);
    if (leftOut.length > 0) {
      process.stderr.write(`\n${leftOut.join('\n')}\n`);
      process.exitCode = 1;
    }
  }
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
