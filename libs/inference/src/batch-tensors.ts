import { newElements, type Elements, type Tensor } from '@mooring/tensor';

/** Joins tensors of one name, datatype and trailing dimensions along the first dimension. */
export function joinRows(parts: readonly Tensor[]): Tensor {
  const first = parts[0];
  if (first === undefined) throw new RangeError('nothing to join');
  if (parts.length === 1) return first;
  const rows = parts.reduce((sum, part) => sum + (part.shape[0] ?? 0), 0);
  const shape = [rows, ...first.shape.slice(1)];
  if (first.datatype === 'BYTES') {
    return { ...first, shape, elements: parts.flatMap((part) => (part.datatype === 'BYTES' ? part.elements : [])) };
  }
  const count = parts.reduce((sum, part) => sum + part.elements.length, 0);
  const elements = newElements(first.datatype, count) as Elements;
  let at = 0;
  for (const part of parts) {
    // Same datatype, so the same kind of array; the union type cannot say so.
    (elements as Uint8Array).set(part.elements as Uint8Array, at);
    at += part.elements.length;
  }
  return { ...first, shape, elements };
}

/** Rows `from` to `to` of a tensor, as a view of its memory. */
export function sliceRows(tensor: Tensor, from: number, to: number): Tensor {
  const rows = tensor.shape[0] ?? 0;
  const rowElements = rows === 0 ? 0 : tensor.elements.length / rows;
  const shape = [to - from, ...tensor.shape.slice(1)];
  const [start, end] = [from * rowElements, to * rowElements];
  if (tensor.datatype === 'BYTES') return { ...tensor, shape, elements: tensor.elements.slice(start, end) };
  return { ...tensor, shape, elements: tensor.elements.subarray(start, end) as Elements };
}

/** Two requests may share a run when their keys are equal: same trailing dimensions of every input, by name. */
export function batchKey(inputs: readonly Tensor[]): string {
  return inputs
    .map((tensor) => `${tensor.name}:${tensor.shape.slice(1).join('x')}`)
    .toSorted()
    .join('|');
}

/** Rows of a request: the first dimension if all inputs agree on it, else undefined. */
export function rowsOf(inputs: readonly Tensor[]): number | undefined {
  const rows = inputs[0]?.shape[0];
  return inputs.every((tensor) => tensor.shape[0] === rows) ? rows : undefined;
}
