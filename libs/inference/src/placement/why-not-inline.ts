import type { ModelSignature, TensorSpec } from '../signature.ts';
import type { ModelGraph } from './model-graph.ts';
import { safeOperators } from './safe-operators.ts';

/** Loading a larger file would hold up the requests of others for too long. */
export const inlineFileBytesMax = 256 * 1024;
/** Elements of one row of one output. */
const rowElementsMax = 16_384;

/**
 * Why a model must not run in a process that serves others, or undefined when it may: it can neither hold it up nor make it
 * grow, whatever it is asked. How long a run takes is not looked at here.
 */
export function whyNotInline(fileBytes: number, signature: ModelSignature, graph: ModelGraph): string | undefined {
  if (fileBytes > inlineFileBytesMax) return `its file has ${fileBytes} bytes, more than ${inlineFileBytesMax}`;
  if (graph.hasExternalData) return 'its weights lie in other files';
  if (graph.hasSubgraphs) return 'it has loops, branches or functions';
  const foreign = [...graph.operators].find((name) => !safeOperators.has(name));
  if (foreign !== undefined) return `operator ${foreign} may take time or memory that its input does not tell`;
  return inputProblem(signature.inputs) ?? outputProblem(signature);
}

function inputProblem(inputs: readonly TensorSpec[]): string | undefined {
  if (inputs.length === 0) return 'it has no input';
  for (const { name, datatype, shape } of inputs) {
    if (datatype === 'BYTES') return `input '${name}' is text`;
    if (shape.length === 0) return `input '${name}' may have any rank`;
    if (shape.some((dimension, index) => index > 0 && typeof dimension === 'string')) {
      return `input '${name}' has more than its first dimension free`;
    }
  }
  return undefined;
}

function outputProblem({ inputs, outputs }: ModelSignature): string | undefined {
  const bounded = new Set(inputs.flatMap(({ shape }) => shape.filter((dimension) => typeof dimension === 'string')));
  // A free dimension without a name says nothing of where it comes from.
  bounded.delete('');
  for (const { name, shape } of outputs) {
    const unbounded = shape.find((dimension) => typeof dimension === 'string' && !bounded.has(dimension));
    if (unbounded !== undefined) return `output '${name}' has a dimension that no input has`;
    const elements = shape.reduce<number>((product, size) => (typeof size === 'number' ? product * size : product), 1);
    if (elements > rowElementsMax) return `output '${name}' has ${elements} elements a row`;
  }
  return undefined;
}
