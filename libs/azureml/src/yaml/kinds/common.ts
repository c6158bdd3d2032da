import { assetNameRule, endpointNameRule, isAssetName, isEndpointName } from '@mooring/domain';
import { mapOf, readOnly, ruledScalar, scalarText, text, type Fields } from '../fields.ts';

export const endpointName = text({ test: isEndpointName, expected: endpointNameRule });
export const assetName = text({ test: isAssetName, expected: assetNameRule });
/** `version: 3` and `version: "3"` are the same. */
export const assetVersion = ruledScalar({ test: isAssetName, expected: assetNameRule });
export const textMap = mapOf(scalarText);

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
  provisioning_error: readOnly,
  warnings: readOnly,
} as const satisfies Fields;

/** The entries that are set: REST bodies carry what the user wrote and nothing else. */
export function present<T extends Record<string, unknown>>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
