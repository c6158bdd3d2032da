import { steps } from './steps.ts';

/** `tools/test [STEP ...]`: all steps, or the named ones. Goes on after a failure, so that one run shows everything. */
async function main(names: readonly string[]): Promise<number> {
  if (names.includes('--help')) {
    process.stdout.write('usage: tools/test [STEP ...]\n\nsteps:\n');
    for (const { name, about } of steps) process.stdout.write(`  ${name.padEnd(16)}${about}\n`);
    return 0;
  }
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    process.stderr.write(`there is no step '${unknown.join("', '")}'; tools/test --help lists them\n`);
    return 2;
  }
  const chosen = names.length === 0 ? steps : steps.filter((step) => names.includes(step.name));
  let passed = 0;
  let failed = 0;
  const failedSteps: string[] = [];
  for (const [index, step] of chosen.entries()) {
    process.stdout.write(`[${index + 1}/${chosen.length}] ${step.name}: ${step.about}\n`);
    const startedAt = Date.now();
    const outcome = await step.run();
    passed += outcome.passed;
    failed += outcome.failed;
    if (outcome.failed > 0) failedSteps.push(step.name);
    const seconds = ((Date.now() - startedAt) / 1000).toFixed(1);
    process.stdout.write(`    ${outcome.passed} passed, ${outcome.failed} failed in ${seconds} s\n`);
  }
  if (failedSteps.length > 0) process.stdout.write(`failed: ${failedSteps.join(', ')}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed === 0 ? 0 : 1;
}

process.exitCode = await main(process.argv.slice(2));
