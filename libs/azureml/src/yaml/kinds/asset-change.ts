import { object, scalarText, text, type Field, type ObjectOf } from '../../reading/fields.ts';
import { textMap } from './common.ts';

/** A version of an asset is written once: its files and packages never change (azureml-contract 1.1). */
const fixed: Field<never> = {
  hidden: true,
  read(_value, path, reading) {
    reading.problems.push({ path, problem: 'cannot be changed', expected: 'a new version' });
    return undefined;
  },
};

const changeable = { description: text(), tags: textMap, properties: textMap };
const fixedOfBoth = { name: fixed, version: fixed, id: fixed };

/** What may change of a version that exists. */
export const assetChangeFields = {
  model: object(
    { ...changeable, stage: scalarText, ...fixedOfBoth, path: fixed, type: fixed, flavors: fixed },
    'a model',
  ),
  environment: object(
    { ...changeable, ...fixedOfBoth, image: fixed, conda_file: fixed, build: fixed, os_type: fixed },
    'an environment',
  ),
  component: object(
    { ...changeable, ...fixedOfBoth, type: fixed, inputs: fixed, outputs: fixed, jobs: fixed, code: fixed },
    'a component',
  ),
  data: object({ ...changeable, ...fixedOfBoth, path: fixed, type: fixed }, 'a data asset'),
} as const;

export type AssetChange = ObjectOf<typeof changeable & { stage: typeof scalarText }>;
