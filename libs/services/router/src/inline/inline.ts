import type { Logger } from 'pino';
import type { Nats } from '@mooring/messaging';
import type { Tracing } from '@mooring/telemetry';
import type { RouterConfig } from '../config.ts';
import { createCrashMarker } from './crash-marker.ts';
import { banAfterCrash, watchInlineBans } from './inline-bans.ts';
import { InlineModels } from './inline-models.ts';
import { createInlineLoader, prepareInline } from './load-inline.ts';

export interface Inline {
  models: InlineModels;
  stop(): Promise<void>;
}

/** Everything that running models in this process needs, before the first record of an instance is taken in. */
export async function startInline(config: RouterConfig, nats: Nats, tracing: Tracing, log: Logger): Promise<Inline> {
  const marker = createCrashMarker(config.inlineMarkerFile);
  const guilty = await banAfterCrash(nats, marker, config.lastExit);
  if (guilty.length > 0) {
    log.error(
      { models: guilty, lastExit: config.lastExit },
      'the process before this one crashed; its models stay out',
    );
  }
  let models: InlineModels | undefined;
  const bans = await watchInlineBans(nats, () => models?.reconsider());
  await prepareInline();
  const running = new InlineModels({
    load: createInlineLoader(config.inlineBodyBytesMax, tracing, log),
    banned: bans.has,
    note: marker.write,
    modelsMax: config.inlineModelsMax,
    log,
  });
  models = running;
  return {
    models: running,
    stop: async () => {
      bans.stop();
      await running.close();
      marker.remove();
    },
  };
}
