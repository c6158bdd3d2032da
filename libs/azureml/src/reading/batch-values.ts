import { bool, object, text, wrong, type Field } from './fields.ts';

/** Smallest and largest values of what a batch job may be told, in YAML and REST alike. */
export const batchRanges = {
  instanceCount: [1, 64],
  maxConcurrencyPerInstance: [1, 64],
  miniBatchSize: [1, 100_000],
  maxRetries: [0, 100],
  timeoutS: [1, 86_400],
  errorThreshold: [-1, 2 ** 31 - 1],
} as const satisfies Record<string, readonly [number, number]>;

/** The file that predictions are gathered in: a name, for it lies in the folder of the job's output. */
export const outputFileName = text({
  test: (name) => name !== '.' && name !== '..' && Buffer.byteLength(name) <= 255 && /^[^/\\\p{Cc}]+$/u.test(name),
  expected: 'a plain file name of at most 255 bytes',
});

const computePath =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/[^/]+\/workspaces\/[^/]+\/computes\/([^/]+)$/i;

/** The name of a compute, out of `azureml:<name>`, an ARM id or the name itself. */
export const computeName: Field<string> = {
  read(value, path, reading) {
    const expected = 'the name of a compute: azureml:<name>';
    if (typeof value !== 'string') return wrong(reading, path, value, expected);
    const body = value.startsWith('azureml:') ? value.slice('azureml:'.length) : value;
    const name = computePath.exec(body)?.[1] ?? body;
    return /^[a-zA-Z0-9][-\w.]{0,63}$/.test(name) ? name : wrong(reading, path, value, expected);
  },
};

const word = text({
  test: (value) => /^[\w.-]{1,255}$/.test(value),
  expected: 'at most 255 letters, digits, dashes, underscores and dots',
});

/** Settings of a pipeline deployment (azureml-contract 1.4), as files and bodies spell them. */
export const pipelineSettings = object({
  default_compute: computeName,
  default_datastore: word,
  continue_on_step_failure: bool,
  force_rerun: bool,
  experiment_name: word,
});
