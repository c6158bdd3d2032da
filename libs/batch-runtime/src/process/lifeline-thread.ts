/**
 * A thread of a Node process that ends it, with all that it started, when its worker is gone: also while native code holds the main thread.
 * Nothing is ever sent on the lifeline; its other end closes with the worker.
 */
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';

const lifeline = new Socket({ fd: workerData as number, readable: true, writable: false });
lifeline.on('error', () => undefined);
lifeline.once('close', () => {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } finally {
    // It leads no group where it was started by hand.
    process.kill(process.pid, 'SIGKILL');
  }
});
lifeline.resume();
