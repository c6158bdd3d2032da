import { parseOptions, usage, UsageError, type Options } from './cli.ts';
import { programs } from './programs/index.ts';
import { runScenarios } from './run-scenarios.ts';
import { scenariosOf } from './scenarios.ts';

const interrupt = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.on(name, () => {
    process.stderr.write('stopping; what was started is being ended\n');
    interrupt.abort(new Error('interrupted'));
  });
}

/** True when all was as it should be. */
async function runAll(options: Options): Promise<boolean> {
  const chosen = programs.filter(({ name }) => options.only.includes(name));
  const changes = chosen.length < options.only.length;
  let passed = changes ? await runScenarios(options, interrupt.signal) : true;
  for (const program of chosen) passed = (await program.run(options, interrupt.signal)) && passed;
  return passed;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') process.stdout.write(usage);
  else if ('list' in options) {
    for (const { name, about } of [...scenariosOf(options.list), ...programs])
      process.stdout.write(`${name.padEnd(20)}${about}\n`);
  } else if (!(await runAll(options))) process.exitCode = 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
