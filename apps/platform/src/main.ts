import { runMain } from '@mooring/runtime';
import { readFlags } from './flags.ts';
import { serviceModules } from './modules.ts';
import { runCleanUp } from './run-clean-up.ts';
import { runSupervisor } from './run-supervisor.ts';

const flags = readFlags(process.argv.slice(2));

if (flags['list-targets']) {
  for (const [name, { needs }] of Object.entries(serviceModules([]))) {
    process.stdout.write(`${name.padEnd(18)}needs ${Object.keys(needs).join(', ')}\n`);
  }
} else if (flags.supervise) {
  process.exitCode = await runSupervisor(flags, process.env);
  process.exit();
} else if (flags['clean-up']) {
  process.exitCode = await runCleanUp(flags, process.env);
} else {
  const target = flags.target ?? 'all';
  await runMain(serviceModules(target.split(',')), { target });
}
