import { dirname } from 'node:path';
import { PlatformError } from '@mooring/errors';

/** ONNX Runtime's messages hold whole type signatures; a person reads the first lines. */
const messageMax = 1_000;

const formRefused = /Got invalid dimensions|Invalid rank|Unexpected input data type/;
const memoryRefused = /Failed to allocate memory|bad_alloc|storage size overflowed/;

/** What a run threw, as whose fault it is: the request's form, or the model. */
export function runError(thrown: unknown): PlatformError {
  if (thrown instanceof PlatformError) return thrown;
  const why = tidyMessage(thrown);
  if (formRefused.test(why))
    return new PlatformError('invalid_argument', 'MODEL_REFUSED_INPUT', why, { cause: thrown });
  const reason = memoryRefused.test(why) ? 'MODEL_OUT_OF_MEMORY' : 'MODEL_RUN_FAILED';
  return new PlatformError('model_failed', reason, `the model failed: ${why}`, { cause: thrown, modelStatus: 500 });
}

/** The runtime's own message on one line, without paths of this machine, cut to a length that a person reads. */
export function tidyMessage(thrown: unknown, file?: string): string {
  let text = thrown instanceof Error ? thrown.message : String(thrown);
  if (file !== undefined) text = text.replaceAll(`${dirname(file)}/`, '').replaceAll(dirname(file), 'its folder');
  // Where in ONNX Runtime's source the check stands, and that function's signature.
  text = text
    .replaceAll(/\/onnxruntime_src\/\S+:\d+ /g, '')
    .replaceAll(/\s+/g, ' ')
    .trim();
  return text.length > messageMax ? `${text.slice(0, messageMax)}...` : text;
}
