import { BinaryReader, WireType } from '@bufbuild/protobuf/wire';
import { eachField, messageEnd } from '../codec/wire.ts';

/** What the file says that no session tells. */
export interface ModelGraph {
  /** Operators as `Gemm`, those of another domain than ONNX's own as `ai.onnx.ml.Scaler`. */
  operators: ReadonlySet<string>;
  /** Loops, branches and functions: what runs depends on data, or is not seen here. */
  hasSubgraphs: boolean;
  /** Weights lie in other files. */
  hasExternalData: boolean;
}

// Field numbers of onnx.proto3.
const model = { graph: 7, functions: 25 };
const graph = { node: 1, initializer: 5, sparseInitializer: 15 };
const node = { opType: 4, attribute: 5, domain: 7 };
const attribute = { tensor: 5, graph: 6, tensors: 10, graphs: 11 };
const tensor = { externalData: 13 };

/** Reads the operators of an .onnx file. Throws when it is not one. */
export function readModelGraph(file: Uint8Array): ModelGraph {
  const found = { operators: new Set<string>(), hasSubgraphs: false, hasExternalData: false };
  const reader = new BinaryReader(file);
  eachField(reader, reader.len, (field, wire) => {
    if (field === model.functions) found.hasSubgraphs = true;
    if (field !== model.graph || wire !== WireType.LengthDelimited) return false;
    readGraph(reader, found);
    return true;
  });
  return found;
}

type Found = { operators: Set<string>; hasSubgraphs: boolean; hasExternalData: boolean };

function readGraph(reader: BinaryReader, found: Found): void {
  eachField(reader, messageEnd(reader), (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === graph.node) readNode(reader, found);
    else if (field === graph.initializer) readTensor(reader, found);
    else return false;
    return true;
  });
}

function readNode(reader: BinaryReader, found: Found): void {
  let [opType, domain] = ['', ''];
  eachField(reader, messageEnd(reader), (field, wire) => {
    if (wire !== WireType.LengthDelimited) return false;
    if (field === node.opType) opType = reader.string();
    else if (field === node.domain) domain = reader.string();
    else if (field === node.attribute) readAttribute(reader, found);
    else return false;
    return true;
  });
  found.operators.add(domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`);
}

function readAttribute(reader: BinaryReader, found: Found): void {
  eachField(reader, messageEnd(reader), (field, wire) => {
    if (field === attribute.graph || field === attribute.graphs) found.hasSubgraphs = true;
    if (wire !== WireType.LengthDelimited || (field !== attribute.tensor && field !== attribute.tensors)) return false;
    readTensor(reader, found);
    return true;
  });
}

function readTensor(reader: BinaryReader, found: Found): void {
  eachField(reader, messageEnd(reader), (field) => {
    if (field === tensor.externalData) found.hasExternalData = true;
    return false;
  });
}
