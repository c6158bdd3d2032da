import { requireInit } from '../scope.ts';

/** A list made once and read by all virtual users. */
// oxlint-disable-next-line typescript/no-extraneous-class -- scripts say `new SharedArray(...)`.
class FrozenSharedArray {
  constructor(name: string, create: () => unknown[]) {
    const { sharedArrays } = requireInit('new SharedArray()').test;
    let shared = sharedArrays.get(name);
    if (shared === undefined) {
      const made = create();
      if (!Array.isArray(made)) throw new TypeError(`SharedArray '${name}': the function has to return an array`);
      // What does not survive JSON does not survive k6's SharedArray either.
      shared = deepFreeze(JSON.parse(JSON.stringify(made)) as unknown[]);
      sharedArrays.set(name, shared);
    }
    // oxlint-disable-next-line no-constructor-return -- k6's SharedArray is used as the array itself.
    return shared as unknown as FrozenSharedArray;
  }
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) deepFreeze(part);
  return Object.freeze(value);
}

export { FrozenSharedArray as SharedArray };
export default { SharedArray: FrozenSharedArray };
