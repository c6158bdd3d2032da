import { loadSession, whyNotBatched, type OnnxSession, type TensorSpec } from '@mooring/inference';
import { PlatformError } from '@mooring/errors';
import type { Tensor } from '@mooring/tensor';
import type { RowBatch } from './row-batch.ts';
import { rowInputOf, type RowInput } from './row-input.ts';

/** Where larger runs are no faster any more. */
const rowsMax = 512;
/** Of one run's input. */
const elementsMax = 2 ** 20;

export interface RowModel {
  readonly inputs: readonly RowInput[];
  readonly outputs: readonly TensorSpec[];
  /** Rows that one run takes at most. */
  readonly rowsMax: number;
  /** What whoever looks for the reason of its speed, or of an output that is missing, should know. */
  readonly notes: readonly string[];
  /** Outputs of the rows `from` up to `to`, and whether they have a dimension of rows. Throws what the model throws. */
  run(batch: RowBatch, from: number, to: number): { outputs: Tensor[]; hasRows: boolean };
}

/** Opens an .onnx file on one core. Throws ModelLoadError, or `failed_precondition` where rows cannot be given to it. */
export function openRowModel(file: string, columns: readonly string[] | undefined): RowModel {
  const session = loadSession(file, 1);
  const { inputs: specs, outputs } = session.signature;
  const inputs = specs.map(rowInputOf);
  checkColumns(inputs, columns);
  const notes = session.skippedOutputs.map((name) => `output '${name}' is no tensor and is left out`);
  const alone = whyAlone(session, inputs);
  if (alone !== undefined) notes.push(`each row has a run of its own: ${alone}`);
  const names = outputs.map(({ name }) => name);
  return {
    inputs,
    outputs,
    notes,
    rowsMax: alone === undefined ? rowsOfRun(inputs) : 1,
    run: (batch, from, to) => {
      const results = session.run(batch.tensors(from, to), names);
      const rows = to - from;
      const hasRows = results.every(({ shape }) => shape[0] === rows);
      if (!hasRows && rows > 1)
        throw new PlatformError('model_failed', 'MODEL_OUTPUT_SHAPE', 'not a row of output for each row');
      return { outputs: results, hasRows };
    },
  };
}

function whyAlone(session: OnnxSession, inputs: readonly RowInput[]): string | undefined {
  const free = inputs.find(({ width }) => width === undefined);
  if (free !== undefined) return `rows of '${free.name}' may differ in shape`;
  return whyNotBatched(session);
}

function rowsOfRun(inputs: readonly RowInput[]): number {
  const elements = inputs.reduce((sum, { width }) => sum + (width ?? 1), 0);
  return Math.max(1, Math.min(rowsMax, Math.floor(elementsMax / Math.max(1, elements))));
}

function checkColumns(inputs: readonly RowInput[], columns: readonly string[] | undefined): void {
  const [input] = inputs;
  if (input === undefined) throw unfit('the model has no input, so no row can be given to it');
  if (columns === undefined) return;
  if (inputs.length > 1)
    throw unfit(
      `mooring.batch.columns is for models of one input; this one has ${inputs.length}, each read from the column of its name`,
    );
  if (input.width !== undefined && input.width !== columns.length)
    throw unfit(
      `mooring.batch.columns names ${columns.length} columns, and input '${input.name}' takes ${input.width}`,
    );
}

function unfit(message: string): PlatformError {
  return new PlatformError('failed_precondition', 'MODEL_NOT_FOR_ROWS', message);
}
