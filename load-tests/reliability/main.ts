import { parseOptions, usage, UsageError } from './cli.ts';
import { runScenarios } from './run-scenarios.ts';
import { scenariosOf } from './scenarios.ts';

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
  else if ('list' in options) {
    for (const { name, about } of scenariosOf(options.list)) process.stdout.write(`${name.padEnd(20)}${about}\n`);
  } else if (!(await runScenarios(options, interrupt.signal))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
