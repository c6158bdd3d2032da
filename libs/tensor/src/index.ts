export {
  bytesOf,
  dataTypes,
  isDataType,
  newElements,
  viewElements,
  widthOf,
  type DataType,
  type Elements,
  type ElementsOf,
  type FixedDataType,
} from './datatype.ts';
export { elementCount, formatShape, rankMax } from './shape.ts';
export {
  rawLengthOf,
  rawOf,
  readDataType,
  tensorFromRaw,
  type BytesTensor,
  type FixedTensor,
  type Tensor,
} from './tensor.ts';
export {
  decodeBytesElements,
  encodeBytesElements,
  rawBytesLength,
  textOf,
  type BytesElement,
} from './bytes-elements.ts';
export { decodeJson, RoundedInteger } from './json-text.ts';
export { exactPowerMax, exactWholeEnd, leadDigitsMax, longQuotient, scaled, tailDigitsMax } from './json/decimal.ts';
export { numberBytesMax, writeShortest, writeWhole } from './json/shortest.ts';
export { isRows } from './json/number-rows.ts';
export { shapeOfNested, tensorFromJson } from './json-read.ts';
export { JsonPieces, writeFlat, writeNested } from './json-write.ts';
export { tensorError, type TensorReason } from './tensor-error.ts';
