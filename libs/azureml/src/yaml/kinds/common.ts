import { assetNameRule, endpointNameRule, isAssetName, isEndpointName } from '@mooring/domain';
import { mapOf, readOnly, ruledScalar, scalarText, text, type Field, type Fields } from '../../reading/fields.ts';

export const endpointName = text({ test: isEndpointName, expected: endpointNameRule });
/** A table of shares, by deployment. */
export const sharesOf = (percent: Field<number>): Field<Record<string, number>> =>
  mapOf(percent, { test: isEndpointName, expected: `the name of a deployment: ${endpointNameRule}` });
/** A path of local files, or an address. */
export const pathText = text({ test: (value) => value.trim() !== '', expected: 'a path' });
export const assetName = text({ test: isAssetName, expected: assetNameRule });
/** `version: 3` and `version: "3"` are the same. */
export const assetVersion = ruledScalar({ test: isAssetName, expected: assetNameRule });
export const textMap = mapOf(scalarText);

/** No process can be given a variable with another name. */
export const variables = mapOf(scalarText, {
  test: (name) => /^[^=\p{Cc}]{1,256}$/u.test(name),
  expected: 'the name of a variable: at most 256 characters, none of them =',
});

/** What every resource may hold. */
export const commonFields = {
  description: text(),
  tags: textMap,
  properties: textMap,
  id: readOnly,
  provisioning_state: readOnly,
  creation_context: readOnly,
  latest_version: readOnly,
  archived: readOnly,
  provisioning_step: readOnly,
  placement: readOnly,
  provisioning_error: readOnly,
  warnings: readOnly,
} as const satisfies Fields;
