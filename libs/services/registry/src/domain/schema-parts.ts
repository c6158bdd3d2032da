import { z } from 'zod';
import { isAssetName } from '@mooring/domain';

/** What the specs of several kinds are made of. */

/** A custom rule whose message says what would be right. */
export function text(test: (value: string) => boolean, expected: string) {
  return z.string().refine(test, { params: { expected } });
}

export const description = z.string().max(8_192).exactOptional();
export const textMap = z.record(
  text((key) => key.length > 0 && key.length <= 256, 'a name of 1 to 256 characters'),
  z.string(),
);

/** Below the artifact store's root: no way out of it, no empty parts. */
export const artifactPath = text(
  (path) =>
    path.length <= 1024 &&
    !hasControl(path) &&
    path.split('/').every((part) => !['', '.', '..'].includes(part)) &&
    !path.includes('\\'),
  "a path in the artifact store, such as 'container/folder'",
);

/** A `name/version` of an asset; whether there is one is a rule. */
export const assetKey = text((key) => {
  const names = key.split('/');
  return names.length === 2 && names.every(isAssetName);
}, "'name/version' of an asset");

export function hasControl(value: string): boolean {
  return [...value].some((character) => character < ' ' || character === '\u007f');
}

export function whole(smallest: number, largest: number) {
  return z.number().int().min(smallest).max(largest);
}

export const assetCommon = {
  description,
  tags: textMap,
  properties: textMap,
  isAnonymous: z.boolean(),
  isArchived: z.boolean(),
};

const variableName = text((name) => /^[^=\0]{1,256}$/.test(name), "a name of 1 to 256 characters without '='");
const variableValue = text((value) => !value.includes('\0'), 'text without NUL characters');

/** Names and values of environment variables. */
export const variables = z.record(variableName, variableValue);

/** A scoring script in a code version. */
export const codeConfiguration = z.strictObject({
  codeKey: assetKey,
  scoringScript: text(
    (path) => artifactPath.safeParse(path).success && path.endsWith('.py'),
    "a .py file, its path relative to the code's folder",
  ),
});
