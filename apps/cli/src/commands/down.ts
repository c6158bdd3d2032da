import { defineCommand } from '../command.ts';

export const command = defineCommand({
  summary: 'Stop the platform; what it has begun is finished first',
  flags: {},
  examples: ['mooring down', 'mooring down --data ./data'],
  async run(_args, context) {
    const { cleanUpAfter, diedPlatform, runningPlatform, stopPlatform } = await import('../shared/platform-process.ts');
    const { folder } = await context.settings();
    const running = runningPlatform(folder);
    const died = diedPlatform(folder);
    if (died !== undefined) {
      context.note(`the supervisor of ${folder.root} (process ${died.pid}) was killed; ending what it left running`);
      const ended = await cleanUpAfter(folder);
      context.note(ended === '' ? 'nothing of it ran any more' : ended);
      return;
    }
    if (running === undefined) {
      context.note(`no platform runs on ${folder.root}`);
      return;
    }
    await context.progress((onStep) => {
      onStep({ step: `stopping the platform (process ${running.pid})` });
      return stopPlatform(running, context.signal);
    });
    context.note('stopped');
  },
});
