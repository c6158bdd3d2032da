import { isObject } from '../reading/fields.ts';
import { creationContext, snake, withoutUndefined, type Json } from './shape-parts.ts';

/**
 * A job of a batch endpoint with the field names that `az ml` prints; what Azure has no field for (how far it is, why it failed, what
 * it took) stands beside them.
 */
export function jobShapeOf(body: unknown): Json {
  const arm = isObject(body) ? body : {};
  const properties = isObject(arm['properties']) ? arm['properties'] : {};
  const { settings, model, ...more } = isObject(properties['mooring']) ? properties['mooring'] : ({} as Json);
  // Those of a pipeline are its steps'.
  const own = model === '' ? {} : withoutUndefined({ settings, model });
  return withoutUndefined({
    name: arm['name'],
    id: arm['id'],
    display_name: properties['displayName'],
    experiment_name: properties['experimentName'],
    description: properties['description'],
    type: snake(properties['jobType'] ?? 'Pipeline'),
    status: properties['status'],
    tags: properties['tags'] ?? {},
    properties: properties['properties'] ?? {},
    inputs: dataShape(properties['inputs'] ?? properties['inputData']),
    outputs: dataShape(properties['outputs'] ?? properties['outputData']),
    jobs: isObject(properties['jobs']) && Object.keys(properties['jobs']).length > 0 ? properties['jobs'] : undefined,
    services: snakeKeys(properties['services']),
    ...(snakeKeys({ ...more, ...own }) as Json),
    creation_context: creationContext(arm['systemData']),
  });
}

/** Inputs and outputs by the user's own names. */
function dataShape(value: unknown): Json {
  if (!isObject(value)) return {};
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => {
      if (!isObject(item)) return [name, item];
      const type = item['jobInputType'] ?? item['jobOutputType'];
      return [name, withoutUndefined({ type: snake(type), path: item['uri'], value: item['value'] })];
    }),
  );
}

function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [snake(key) ?? key, snakeKeys(item)]));
}
