/** The main loop of a process that scores rows: open the model, say so, run mini-batches one at a time until told to stop. */
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { MiniBatch, RowRange } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { countExternalMemoryWithHeap } from '@mooring/runtime';
import { ModelLoadError } from '@mooring/scoring-stream';
import { messageDecoder, messageLine } from '../process/message-lines.ts';
import type { LineForm } from './row-lines-writer.ts';
import { openRowModel, type RowModel } from './row-model.ts';
import { NotWritten, scoreRows } from './score-rows.ts';

export interface LoadMessage {
  type: 'load';
  file: string;
  columns?: readonly string[];
  form: LineForm;
}

interface RunMessage {
  type: 'run';
  batch: MiniBatch & { rows: RowRange };
  part: string | null;
  errors: string;
  runs: number;
}

type Message = LoadMessage | RunMessage | { type: 'stop' };

const messageBytesMax = 256 * 2 ** 20;

const [channelFd, lifelineFd] = process.argv.slice(-2).map(Number);
const channel = new Socket({ fd: channelFd as number, readable: true, writable: true });
let loaded: { model: RowModel; load: LoadMessage } | undefined;

countExternalMemoryWithHeap();
const threadMemory = { maxOldGenerationSizeMb: 16, maxYoungGenerationSizeMb: 4 };
const lifeline = new Worker(new URL('../process/lifeline-thread.ts', import.meta.url), {
  workerData: lifelineFd,
  resourceLimits: threadMemory,
});
// Without it nobody would know when this process is nobody's.
lifeline.on('error', (error) => {
  throw error;
});
// Whoever started this process is gone, and with it whoever could use what it does.
channel.on('error', () => undefined);
channel.once('close', () => process.exit(1));
channel.on(
  'data',
  messageDecoder(messageBytesMax, (message) => void answer(message as unknown as Message)),
);

async function answer(message: Message): Promise<void> {
  if (message.type === 'stop') process.exit(0);
  if (message.type === 'load') return load(message);
  channel.write(messageLine(await run(message)));
}

function load(message: LoadMessage): void {
  try {
    const model = openRowModel(message.file, message.columns);
    for (const note of model.notes) console.error(note);
    loaded = { model, load: message };
    channel.write(messageLine({ type: 'loaded' }));
  } catch (thrown) {
    const [code, words] =
      thrown instanceof ModelLoadError
        ? [thrown.status.code ?? 'BadArgument', thrown.message]
        : [PlatformError.from(thrown).reason, PlatformError.from(thrown).message];
    console.error(thrown);
    channel.end(messageLine({ type: 'loadFailed', code, message: words }));
  }
}

async function run({ batch, part, errors, runs }: RunMessage): Promise<object> {
  if (loaded === undefined) return { type: 'raised', message: 'no model is loaded' };
  const { model, load: spec } = loaded;
  try {
    const { columns, form } = spec;
    const scored = await scoreRows(model, { batch, part: part ?? undefined, errors, runs, columns, form });
    return { type: 'done', ...scored, part: scored.part ?? null, errors: scored.errors ?? null };
  } catch (thrown) {
    if (thrown instanceof NotWritten) return { type: 'notWritten', message: thrown.message };
    console.error(thrown);
    return { type: 'raised', message: PlatformError.from(thrown).message };
  }
}
