import { refusal, type SpecProblem } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import type { Call, Handler } from '../http/call.ts';
import { readGuard } from '../http/if-match.ts';
import type { ManagementPorts } from '../ports.ts';
import { bodyOf, keyOf, readSpec, write, type FurtherCheck } from './resource.ts';

const staleAttemptsMax = 5;

const patchable = {
  'online-endpoint': ['tags', 'identity'],
  'online-deployment': ['tags', 'sku'],
  'batch-endpoint': ['tags', 'identity'],
  'batch-deployment': ['tags'],
} as const;

/**
 * Changes what ARM lets one change apart: tags, and the instance count of an online deployment. Without `If-Match` a change that
 * somebody else makes in between is read and built upon.
 */
export function createPatch<K extends keyof typeof patchable>(
  ports: ManagementPorts,
  kind: K,
  namesOf: (call: Call) => string[],
  check: FurtherCheck<K>,
): Handler {
  return async (call) => {
    const names = namesOf(call);
    const key = keyOf(kind, names);
    const asked = readGuard(call.headers);
    const changes = readChanges(kind, call.body);
    for (let attempt = 1; ; attempt += 1) {
      const current = await ports.registry.get(kind, key);
      const body = { ...bodyOf(current, call, ports), ...changes };
      const spec = await readSpec(kind, names, body, check);
      const ifMatch = asked === '' || asked === '*' ? current.etag : asked;
      try {
        return await write(ports, kind, key, spec, { ifMatch, call });
      } catch (thrown) {
        if (!isStale(thrown) || ifMatch === asked || attempt >= staleAttemptsMax) throw thrown;
      }
    }
  };
}

function readChanges(kind: keyof typeof patchable, body: unknown): Record<string, unknown> {
  const allowed: readonly string[] = patchable[kind];
  const expected = `an object with ${allowed.join(' or ')}`;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw refusal('the change', [{ path: '(body)', problem: 'is not an object', expected }]);
  }
  const problems: SpecProblem[] = Object.keys(body)
    .filter((name) => !allowed.includes(name))
    .map((name) => ({
      path: name.slice(0, 100),
      problem: 'cannot be changed by PATCH',
      expected: `${allowed.join(' or ')}; PUT the whole resource to change more`,
    }));
  if (problems.length > 0) throw refusal('the change', problems);
  return body as Record<string, unknown>;
}

function isStale(thrown: unknown): boolean {
  return thrown instanceof PlatformError && thrown.reason === 'STALE_ETAG';
}
