import { setFlagsFromString } from 'node:v8';

/**
 * Makes V8 count bodies and messages, which lie outside its heap, against the limit of the heap. Otherwise they have a limit of
 * their own that is reached every 150 requests of 18 KB, with a full collection each time (docs/adr/0025). To be called before
 * anything is served; where a version of V8 does not know the flag, it changes nothing.
 */
export function countExternalMemoryWithHeap(): void {
  setFlagsFromString('--external-memory-accounted-in-global-limit');
}

/**
 * Makes that limit four times what was in use after the last full collection: the most that V8 itself ever chooses, and more than it
 * chooses where nearly all that is made dies young (docs/adr/0025). For processes that are given bodies; called as the above.
 */
export function letHeapGrow(): void {
  setFlagsFromString('--heap-growing-percent=300');
}
