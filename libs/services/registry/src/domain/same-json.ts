/** Whether two JSON values say the same; the order of an object's fields does not count, an undefined field is absent. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false;
    return a.every((item, index) => sameJson(item, b[index]));
  }
  const left = presentFields(a);
  const right = presentFields(b);
  if (left.size !== right.size) return false;
  return [...left].every(([field, value]) => right.has(field) && sameJson(value, right.get(field)));
}

function presentFields(object: object): Map<string, unknown> {
  return new Map(Object.entries(object).filter(([, value]) => value !== undefined));
}
