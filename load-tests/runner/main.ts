import { Console } from 'node:console';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseCommandLine, usage, type CommandLine } from './cli.ts';
import { exitCode, messageOf, RunError } from './errors.ts';
import { installHooks } from './hooks.ts';
import { writeJsonLines } from './json-output.ts';
import { Log } from './log.ts';
import { runTest, type RunResult } from './run.ts';
import { installGlobals } from './script.ts';
import { toExport } from './summary/data.ts';
import { summaryText } from './summary/text.ts';

async function main(args: readonly string[]): Promise<number> {
  const command = parseCommandLine(args, [process.cwd(), join(import.meta.dirname, '..')], process.env);
  if (command === undefined) {
    process.stdout.write(usage);
    return exitCode.ok;
  }
  const log = new Log((text) => process.stderr.write(text), command.quiet);
  installHooks();
  installGlobals();
  // As in k6: what scripts print is not part of the result.
  globalThis.console = new Console({ stdout: process.stderr, stderr: process.stderr });
  let output: ReturnType<typeof writeJsonLines> | undefined;
  const { jsonOut } = command;
  const result = await runTest({
    ...command,
    log,
    signal: interruptSignal(),
    onReady: (metrics) => {
      if (jsonOut !== undefined) output = writeJsonLines(metrics, jsonOut);
    },
  });
  await output?.end();
  report(result, command);
  return result.exitCode;
}

/** The first Ctrl-C ends the test with its summary, the second ends the process. */
function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (interrupt.signal.aborted) process.exit(exitCode.interrupted);
      interrupt.abort();
    });
  }
  return interrupt.signal;
}

function report({ summary, thresholds, handled }: RunResult, command: CommandLine): void {
  if (handled !== undefined) {
    for (const [name, text] of Object.entries(handled)) {
      if (name === 'stdout') process.stdout.write(text);
      else if (name === 'stderr') process.stderr.write(text);
      else writeFileSync(name, text);
    }
  } else if (!command.noSummary) process.stdout.write(summaryText(summary, thresholds));
  if (command.summaryExport !== undefined) {
    writeFileSync(command.summaryExport, `${JSON.stringify(toExport(summary), null, 2)}\n`);
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`ERROR ${messageOf(error)}\n`);
  process.exitCode = error instanceof RunError ? error.exitCode : exitCode.invalidConfig;
}
// Script code that an interruption left waiting must not keep the process.
process.exit();
