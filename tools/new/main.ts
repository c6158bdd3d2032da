import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generate, kinds } from './generate.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const [kind, name] = process.argv.slice(2);

if (kind === undefined || name === undefined || !(kind in kinds)) {
  process.stderr.write(`usage: tools/generate ${Object.keys(kinds).join('|')} NAME\n\n`);
  for (const [known, { about }] of Object.entries(kinds)) process.stderr.write(`  ${known.padEnd(10)}${about}\n`);
  process.exitCode = 2;
} else {
  try {
    const written = generate(root, kind as keyof typeof kinds, name);
    for (const path of written) process.stdout.write(`wrote ${path}\n`);
    const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');
    if (!lock.includes(`@mooring/${name}`))
      process.stdout.write('next: npm install, then tools/test layers types unit\n');
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  }
}
