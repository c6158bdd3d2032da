import type { ModelInferResponse } from '@mooring/contracts/inference';
import type { Differences } from './compare-numbers.ts';

interface NumberType {
  width: number;
  read(view: DataView, offset: number): number;
}

/** Datatypes whose raw bytes are cheap to read as numbers. 64-bit integers beyond 2^53 lose digits: enough for a tolerance. */
const numberTypes: Readonly<Record<string, NumberType>> = {
  INT8: { width: 1, read: (view, at) => view.getInt8(at) },
  INT16: { width: 2, read: (view, at) => view.getInt16(at, true) },
  INT32: { width: 4, read: (view, at) => view.getInt32(at, true) },
  INT64: { width: 8, read: (view, at) => Number(view.getBigInt64(at, true)) },
  UINT8: { width: 1, read: (view, at) => view.getUint8(at) },
  UINT16: { width: 2, read: (view, at) => view.getUint16(at, true) },
  UINT32: { width: 4, read: (view, at) => view.getUint32(at, true) },
  UINT64: { width: 8, read: (view, at) => Number(view.getBigUint64(at, true)) },
  FP32: { width: 4, read: (view, at) => view.getFloat32(at, true) },
  FP64: { width: 8, read: (view, at) => view.getFloat64(at, true) },
};

/** Compares the raw bytes of one tensor: number by number where the datatype allows, else all or nothing. */
export function compareRaw(live: Buffer, mirror: Buffer, datatype: string, name: string, found: Differences): void {
  if (live.equals(mirror)) return;
  const type = numberTypes[datatype];
  if (type === undefined || live.length !== mirror.length || live.length % type.width !== 0) return found.differs(name);
  const left = new DataView(live.buffer, live.byteOffset, live.length);
  const right = new DataView(mirror.buffer, mirror.byteOffset, mirror.length);
  for (let offset = 0; offset < live.length; offset += type.width) {
    found.numbers(type.read(left, offset), type.read(right, offset), () => `${name}[${offset / type.width}]`);
  }
}

/** Compares two decoded gRPC answers, output by output. The echoed names of model and version do not count. */
export function compareInferResponses(live: ModelInferResponse, mirror: ModelInferResponse, found: Differences): void {
  if (live.outputs.length !== mirror.outputs.length) return found.differs('outputs');
  live.outputs.forEach((left, index) => {
    const right = mirror.outputs[index];
    if (right === undefined || left.name !== right.name) return found.differs(`outputs[${index}].name`);
    if (left.datatype !== right.datatype) return found.differs(`${left.name}.datatype`);
    if (left.shape.join() !== right.shape.join()) return found.differs(`${left.name}.shape`);
    const raw = [live.rawOutputContents[index], mirror.rawOutputContents[index]] as const;
    if (raw[0] && raw[1]) return compareRaw(Buffer.from(raw[0]), Buffer.from(raw[1]), left.datatype, left.name, found);
    compareTyped(left.contents, right.contents, left.name, found);
  });
}

type Contents = ModelInferResponse['outputs'][number]['contents'];

function compareTyped(live: Contents, mirror: Contents, name: string, found: Differences): void {
  if (live === undefined || mirror === undefined) {
    if (live !== mirror) found.differs(name);
    return;
  }
  for (const field of Object.keys(live) as (keyof typeof live)[]) {
    const [left, right] = [live[field], mirror[field]];
    if (left.length !== right.length) return found.differs(name);
    for (let i = 0; i < left.length; i += 1) {
      const [a, b] = [left[i], right[i]];
      if (typeof a === 'number' && typeof b === 'number') found.numbers(a, b, () => `${name}[${i}]`);
      else if (Buffer.isBuffer(a) && Buffer.isBuffer(b) ? !a.equals(b) : a !== b) found.differs(`${name}[${i}]`);
    }
  }
}
