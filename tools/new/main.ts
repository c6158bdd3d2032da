import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, kinds, tableLine } from './generate.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const [kind, name] = process.argv.slice(2);

function nextStep(made: string, of: string): string {
  if (made !== 'command') return 'npm install, then tools/test layers types unit';
  return `add \`${tableLine(of)}\` to its noun in apps/cli/src/command-table.ts, then tools/test types unit`;
}

if (kind === undefined || name === undefined || !(kind in kinds)) {
  process.stderr.write(`usage: tools/generate ${Object.keys(kinds).join('|')} NAME\n\n`);
  for (const [known, { about }] of Object.entries(kinds)) process.stderr.write(`  ${known.padEnd(10)}${about}\n`);
  process.exitCode = 2;
} else {
  try {
    const written = generate(root, kind as keyof typeof kinds, name);
    for (const path of written) process.stdout.write(`wrote ${path}\n`);
    process.stdout.write(`next: ${nextStep(kind, name)}\n`);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
