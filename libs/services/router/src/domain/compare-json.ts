import type { Differences } from './compare-numbers.ts';

const depthMax = 100;

/**
 * Walks two parsed JSON values in step. `ignore` holds paths without array indexes: `model`, `predictions.model`.
 * Order of keys does not count; order of elements does.
 */
export function compareJson(live: unknown, mirror: unknown, ignore: ReadonlySet<string>, found: Differences): void {
  walk(live, mirror, '', '', 0, ignore, found);
}

/** `where` is the path for people (`a[0].b`), `name` the same without indexes (`a.b`). */
function walk(
  live: unknown,
  mirror: unknown,
  where: string,
  name: string,
  depth: number,
  ignore: ReadonlySet<string>,
  found: Differences,
): void {
  if (live === mirror) return;
  if (typeof live === 'number' && typeof mirror === 'number') return found.numbers(live, mirror, () => where || '$');
  if (depth >= depthMax) return found.differs(where);
  if (Array.isArray(live) && Array.isArray(mirror)) {
    for (let i = 0; i < Math.min(live.length, mirror.length); i += 1) {
      walk(live[i], mirror[i], `${where}[${i}]`, name, depth + 1, ignore, found);
    }
    if (live.length !== mirror.length) found.differs(`${where}[${Math.min(live.length, mirror.length)}]`);
    return;
  }
  if (!isObject(live) || !isObject(mirror)) return found.differs(where || '$');
  for (const key of new Set([...Object.keys(live), ...Object.keys(mirror)])) {
    const path = where === '' ? key : `${where}.${key}`;
    const keyName = name === '' ? key : `${name}.${key}`;
    if (ignore.has(keyName)) continue;
    if (Object.hasOwn(live, key) !== Object.hasOwn(mirror, key)) found.differs(path);
    else walk(live[key], mirror[key], path, keyName, depth + 1, ignore, found);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
