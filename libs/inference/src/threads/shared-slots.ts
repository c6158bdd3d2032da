import type { Elements } from '@mooring/tensor';
import type { NativeTensor } from '../native-tensors.ts';

/** Below this, memory of its own is as fast; above the other, keeping it would hold too much. */
const sharedBytesMin = 16 * 1024;
const sharedBytesMax = 8 * 2 ** 20;
/** Every element type begins at a multiple of its own width. */
const alignment = 8;

/**
 * Memory that a thread and this one both see, used again and again: a large input is copied once, into pages that are
 * there already. Fresh memory for each request cost three to five times as much (600 KB: 100 to 170 us against 33).
 */
export class SharedSlots {
  readonly #free: SharedArrayBuffer[] = [];

  /**
   * The tensors in shared memory, and what gives that memory back once nobody looks at them any more; undefined when they
   * are too small or too large for it.
   */
  pack(tensors: readonly NativeTensor[]): { tensors: NativeTensor[]; release: () => void } | undefined {
    const bytes = tensors.reduce((sum, { data }) => sum + alignedBytes(data), 0);
    if (bytes < sharedBytesMin || bytes > sharedBytesMax) return undefined;
    const buffer = this.#take(bytes);
    let at = 0;
    const packed = tensors.map((tensor) => {
      if (Array.isArray(tensor.data)) return tensor;
      const data = copyInto(buffer, at, tensor.data);
      at += alignedBytes(tensor.data);
      return { ...tensor, data };
    });
    return { tensors: packed, release: () => void this.#free.push(buffer) };
  }

  #take(bytes: number): SharedArrayBuffer {
    const fitting = this.#free.findIndex(({ byteLength }) => byteLength >= bytes);
    const [found] = fitting < 0 ? [] : this.#free.splice(fitting, 1);
    if (found !== undefined) return found;
    // In place of one that has become too small.
    this.#free.pop();
    return new SharedArrayBuffer(2 ** Math.ceil(Math.log2(bytes)));
  }
}

function alignedBytes(data: NativeTensor['data']): number {
  return Array.isArray(data) ? 0 : Math.ceil(data.byteLength / alignment) * alignment;
}

type View = new (buffer: SharedArrayBuffer, from: number, length: number) => Elements;

function copyInto(buffer: SharedArrayBuffer, at: number, data: Elements): Elements {
  // Same kind of array on both sides; the union type cannot say so.
  const view = new (data.constructor as unknown as View)(buffer, at, data.length) as Uint8Array;
  view.set(data as Uint8Array);
  return view as Elements;
}
