import type { FieldProblem } from '@mooring/errors';
import { PlatformError } from '@mooring/errors';
import { formatShape, type DataType, type Tensor } from '@mooring/tensor';

/** One input or output as the model declares it. */
export interface TensorSpec {
  readonly name: string;
  readonly datatype: DataType;
  /**
   * A fixed dimension as its size, a free one as the name that the model gives it (may be empty). `[]` is a scalar or a
   * tensor of any rank: ONNX Runtime does not say which.
   */
  readonly shape: readonly (number | string)[];
}

export interface ModelSignature {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

/** The shape with -1 for what is free, as the Open Inference Protocol writes it. */
export function protocolShape(spec: TensorSpec): number[] {
  return spec.shape.map((dimension) => (typeof dimension === 'number' ? dimension : -1));
}

/** `FP32 [N,4]` */
export function describeSpec(spec: TensorSpec): string {
  return `${spec.datatype} ${formatShape(spec.shape.map((dimension) => (dimension === '' ? -1 : dimension)))}`;
}

/** Rows of a request that passed checkInputs: the largest first dimension among the inputs where it is free; else 1. */
export function rowsAsked(signature: ModelSignature, inputs: readonly Tensor[]): number {
  let rows = 1;
  for (const { name, shape } of signature.inputs) {
    if (typeof shape[0] !== 'string') continue;
    const asked = inputs.find((tensor) => tensor.name === name)?.shape[0] ?? 1;
    if (asked > rows) rows = asked;
  }
  return rows;
}

interface InputProblem extends FieldProblem {
  reason: string;
}

/**
 * Checks what a caller sent against the model's own signature, so that the model never sees what it cannot take. Throws
 * one `invalid_argument` with every problem; its reason is that of the first.
 */
export function checkInputs(signature: ModelSignature, inputs: readonly Tensor[]): void {
  const problems: InputProblem[] = [];
  const seen = new Set<string>();
  for (const tensor of inputs) {
    const spec = signature.inputs.find((candidate) => candidate.name === tensor.name);
    if (seen.has(tensor.name)) {
      problems.push(problem('INPUT_DUPLICATE', tensor.name, 'is given more than once'));
    } else if (spec === undefined) {
      problems.push(problem('INPUT_UNKNOWN', tensor.name, 'is not an input of the model', namesOf(signature.inputs)));
    } else problems.push(...tensorProblems(spec, tensor));
    seen.add(tensor.name);
  }
  for (const spec of signature.inputs) {
    if (!seen.has(spec.name)) problems.push(problem('INPUT_MISSING', spec.name, 'is missing', describeSpec(spec)));
  }
  const first = problems[0];
  if (first === undefined) return;
  throw PlatformError.invalid(
    'the inputs do not fit the model',
    problems.slice(0, 20).map(({ reason: _reason, ...rest }) => rest),
    first.reason,
  );
}

function tensorProblems(spec: TensorSpec, tensor: Tensor): InputProblem[] {
  if (tensor.datatype !== spec.datatype) {
    return [problem('TENSOR_DATATYPE_MISMATCH', spec.name, `has datatype ${tensor.datatype}`, describeSpec(spec))];
  }
  if (spec.shape.length === 0) return [];
  const fits =
    tensor.shape.length === spec.shape.length &&
    spec.shape.every((dimension, index) => typeof dimension !== 'number' || dimension === tensor.shape[index]);
  return fits
    ? []
    : [problem('TENSOR_SHAPE_MISMATCH', spec.name, `has shape ${formatShape(tensor.shape)}`, describeSpec(spec))];
}

function problem(reason: string, name: string, text: string, expected?: string): InputProblem {
  const path = name.length > 100 ? `${name.slice(0, 100)}...` : name;
  return { reason, path, problem: text, ...(expected === undefined ? {} : { expected }) };
}

const namesBySignature = new WeakMap<ModelSignature, readonly string[]>();

/** Names of all outputs: the same list each time. */
export function outputNames(signature: ModelSignature): readonly string[] {
  let names = namesBySignature.get(signature);
  if (names === undefined) {
    names = signature.outputs.map((spec) => spec.name);
    namesBySignature.set(signature, names);
  }
  return names;
}

/**
 * Names of the outputs to compute, in the order asked for; all of them when none is named. Throws OUTPUT_UNKNOWN or
 * OUTPUT_DUPLICATE.
 */
export function checkOutputs(signature: ModelSignature, names: readonly string[]): readonly string[] {
  if (names.length === 0) return outputNames(signature);
  const seen = new Set<string>();
  for (const name of names) {
    const shown = name.slice(0, 100);
    if (!signature.outputs.some((spec) => spec.name === name)) {
      const message = `the model has no output '${shown}'; it has ${namesOf(signature.outputs)}`;
      throw new PlatformError('invalid_argument', 'OUTPUT_UNKNOWN', message);
    }
    if (seen.has(name)) {
      throw new PlatformError('invalid_argument', 'OUTPUT_DUPLICATE', `output '${shown}' is asked for more than once`);
    }
    seen.add(name);
  }
  return names;
}

function namesOf(specs: readonly TensorSpec[]): string {
  return specs.map((spec) => spec.name).join(', ');
}
