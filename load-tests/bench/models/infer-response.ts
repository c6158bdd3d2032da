/** Reads ModelInferResponse as far as one output's numbers. */

interface Field {
  number: number;
  value: number | Buffer;
}

function* fieldsOf(message: Buffer): Generator<Field> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at] ?? 0;
      at += 1;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const number = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === 0) {
      yield { number, value: varint() };
      continue;
    }
    const length = kind === 1 ? 8 : kind === 5 ? 4 : varint();
    yield { number, value: message.subarray(at, at + length) };
    at += length;
  }
}

const outputs = 5;
const rawContents = 6;
const name = 1;
const contents = 5;
const floatContents = 6;

/** The float32 bytes of the named output, from raw or typed contents. */
export function firstRawOutput(message: Buffer, wanted: string): Buffer {
  const fields = [...fieldsOf(message)];
  const tensors = fields.filter(({ number }) => number === outputs).map(({ value }) => [...fieldsOf(value as Buffer)]);
  const index = tensors.findIndex(
    (tensor) => tensor.find(({ number }) => number === name)?.value.toString() === wanted,
  );
  if (index < 0) throw new Error(`the answer has no output ${wanted}`);
  const raw = fields.filter(({ number }) => number === rawContents)[index];
  if (raw !== undefined) return raw.value as Buffer;
  const typed = tensors[index]?.find(({ number }) => number === contents)?.value as Buffer | undefined;
  return [...fieldsOf(typed ?? Buffer.alloc(0))].find(({ number }) => number === floatContents)?.value as Buffer;
}
