import type { Component, SpecProblem } from '@mooring/domain';
import { assetReference } from '../arm/ids.ts';
import type { Reading } from '../reading/fields.ts';
import type { AssetType } from '../reading/references.ts';
import { readComponent } from './read-component.ts';

/**
 * A stored `componentSpec` as what it means; every problem is told by its path below `path`. Keys of other versions of the SDK are passed
 * over.
 */
export function componentOf(
  spec: unknown,
  path: string,
): { component: Component | undefined; problems: SpecProblem[] } {
  const reading: Reading = { problems: [], sources: new Map(), quotedNumbers: true, unknownPassed: true };
  const component = readComponent(spec, path, reading);
  return { component, problems: reading.problems };
}

/** `name/version` or `name@latest` out of a reference in any of Azure's forms; undefined where it is none. */
export function assetKeyOf(type: AssetType, reference: string): string | undefined {
  return assetReference(type).read(reference, 'reference', { problems: [], sources: new Map() });
}
