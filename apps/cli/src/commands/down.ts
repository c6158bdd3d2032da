import { defineCommand } from '../command.ts';

export const command = defineCommand({
  summary: 'Stop the platform; what it has begun is finished first',
  flags: {},
  examples: ['mooring down', 'mooring down --data ./data'],
  async run(_args, context) {
    const { runningPlatform, stopPlatform } = await import('../shared/platform-process.ts');
    const { folder } = await context.settings();
    const running = runningPlatform(folder);
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
