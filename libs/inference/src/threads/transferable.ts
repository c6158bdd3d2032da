import type { Elements } from '@mooring/tensor';
import type { NativeTensor } from '../native-tensors.ts';

/** Buffers that move to the other thread instead of being copied: those that belong to one tensor alone, as a whole. */
export function transferable(tensors: readonly NativeTensor[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { data } of tensors) {
    if (!Array.isArray(data) && ownsBuffer(data)) buffers.add(data.buffer as ArrayBuffer);
  }
  return [...buffers];
}

/**
 * The tensor with a buffer of its own. A view would be sent with all of what it is a view of: the whole request, or the
 * whole pool that small buffers are cut from.
 */
export function ownTensor(tensor: NativeTensor): NativeTensor {
  const { data } = tensor;
  return Array.isArray(data) || ownsBuffer(data) ? tensor : { ...tensor, data: data.slice() as Elements };
}

function ownsBuffer(data: Elements): boolean {
  return data.buffer instanceof ArrayBuffer && data.byteLength > 0 && data.byteLength === data.buffer.byteLength;
}
