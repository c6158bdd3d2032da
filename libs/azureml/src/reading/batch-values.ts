import { outputFileNameRule } from '@mooring/domain';
import { bool, object, text, wrong, type Field } from './fields.ts';

export const outputFileName = text(outputFileNameRule);

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
