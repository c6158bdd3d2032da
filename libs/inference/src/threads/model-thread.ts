import { parentPort, workerData } from 'node:worker_threads';
import { createNative } from '../native-session.ts';
import type { ThreadAnswer, ThreadRequest, ThreadSetup, ThreadStop } from './thread-messages.ts';
import { transferable } from './transferable.ts';

/** One worker thread: one session, one run at a time. What goes wrong in a run is an answer; anything else ends the thread. */
const { file, threads } = workerData as ThreadSetup;
const session = createNative(file, threads);
const port = parentPort;
if (port === null) throw new Error('this is the program of a worker thread');

port.on('message', (message: ThreadRequest | ThreadStop) => {
  if (message === 'stop') {
    session.dispose();
    port.close();
    return;
  }
  const { feeds, fetches } = message;
  const fromMs = performance.now();
  let answer: ThreadAnswer;
  try {
    const results = session.run(feeds, Object.fromEntries(fetches.map((name) => [name, null])));
    const outputs = fetches.map((name) => {
      const { type, dims, data, size } = results[name] as (typeof feeds)[string];
      return { type, dims, data, location: 'cpu' as const, size };
    });
    answer = { outputs, runUs: Math.round((performance.now() - fromMs) * 1_000) };
  } catch (thrown) {
    answer = {
      error: thrown instanceof Error ? thrown.message : String(thrown),
      runUs: Math.round((performance.now() - fromMs) * 1_000),
    };
  }
  port.postMessage(answer, 'outputs' in answer ? transferable(answer.outputs) : []);
});
port.postMessage('loaded');
