import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 count bodies and messages, which lie outside its heap, against the limit of the heap. Otherwise they have a limit of
 * their own that is reached every 150 requests of 18 KB, with a full collection each time (docs/adr/0025). To be called before
 * anything is served; where a version of V8 does not know the flag, it changes nothing.
 */
export function countExternalMemoryWithHeap(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}
