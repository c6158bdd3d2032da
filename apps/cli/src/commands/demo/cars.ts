import { spawn } from 'node:child_process';
import { PlatformError } from '@mooring/errors';
import { defineCommand } from '../../command.ts';
import { nextCommand } from '../../shared/next-command.ts';
import { repositoryRoot } from '../../shared/repository.ts';
import { upFlags } from '../up.ts';

export const command = defineCommand({
  summary: 'Tell the story of `cars`: two models behind one URL, split, mirrored, switched',
  about: 'Starts a platform on the data folder if none runs there, and leaves it running.',
  flags: upFlags,
  examples: ['mooring demo cars'],
  async run(args, context) {
    const { runningPlatform, startDetached } = await import('../../shared/platform-process.ts');
    const { checkPorts } = await import('../../shared/free-ports.ts');
    const { folder } = await context.settings();
    if (runningPlatform(folder) === undefined) {
      await checkPorts(args);
      const timeoutMs = (args.timeout ?? 120) * 1000;
      const line = await context.progress((onStep) => {
        onStep({ step: 'starting the platform' });
        return startDetached(folder, args, timeoutMs, context.signal);
      });
      context.printText(`${line}\n`);
    }
    const code = await tellStory(folder.root, context.signal);
    context.note(`the platform goes on running; stop it with: ${nextCommand('down', '--data', folder.root)}`);
    if (code !== 0)
      throw new PlatformError('failed_precondition', 'STORY_ENDED_EARLY', `the story ended early with status ${code}`);
  },
});

function tellStory(data: string, signal: AbortSignal): Promise<number> {
  // Through env, so that the story's own commands find the same platform.
  const child = spawn('env', [`MOORING_DATA=${data}`, 'bash', `${repositoryRoot}/examples/cars/story.sh`], {
    stdio: 'inherit',
  });
  const stop = (): void => void child.kill('SIGTERM');
  signal.addEventListener('abort', stop, { once: true });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}
