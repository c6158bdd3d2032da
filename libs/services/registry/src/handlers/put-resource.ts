import type { PutResourceRequest, PutResourceResponse } from '@mooring/contracts/registry';
import {
  endpointKindOf,
  isAssetKind,
  isEndpointKind,
  refusal,
  type ResourceKind,
  type SpecByKind,
  type SpecProblem,
} from '@mooring/domain';
import { normalizeBatchEndpoint } from '../domain/batch-rules.ts';
import { createdDocument, updatedDocument } from '../domain/document.ts';
import { normalizeEndpoint } from '../domain/endpoint-rules.ts';
import { checkIfMatch } from '../domain/if-match.ts';
import { beingDeleted, readAddress, type Address } from '../domain/keys.ts';
import { nextGeneration } from '../domain/operation.ts';
import { readSpec, type SpecReading } from '../domain/read-spec.ts';
import { sameJson } from '../domain/same-json.ts';
import { actOf, type RegistryDeps } from '../ports.ts';
import type { Read } from '../resources.ts';
import { untilSettled } from '../until-settled.ts';
import type { Writer } from '../write-turn.ts';

type Deps = Pick<RegistryDeps, 'resources' | 'checks' | 'vault' | 'turn' | 'clock'>;
type Content = { spec: SpecByKind[ResourceKind]; sealed?: string };

/** Everything is checked, then one compare-and-set write accepts the change and starts its operation. */
export function createPutResource(deps: Deps) {
  return async (request: PutResourceRequest, writer: Writer): Promise<PutResourceResponse> => {
    const { address, problems } = readAddress(request.kind, request.key);
    const reading = readSpec(address.kind, request.specJson);
    return deps.turn(writer, () =>
      untilSettled(writer.signal, async () => {
        // What cannot be a name must not get to the store.
        const current = problems.length > 0 ? undefined : await deps.resources.get(address.kind, address.storeKey);
        checkIfMatch(request.ifMatch, address, current?.revision);
        if (current?.document.state === 'Deleting') throw beingDeleted(address);
        await check(deps, address, reading, problems, current);
        const spec = normalized(address.kind, reading.spec);
        return current === undefined
          ? create(deps, address, spec, request.principal)
          : update(deps, address, spec, current, request.principal);
      }),
    );
  };
}

/** Refuses with everything that is wrong at once. */
async function check(
  { checks }: Deps,
  address: Address,
  { spec, broken, problems: shape }: SpecReading<ResourceKind>,
  names: readonly SpecProblem[],
  current: Read | undefined,
): Promise<void> {
  const rules = checks[address.kind] as (
    address: Address,
    spec: SpecByKind[ResourceKind],
    current: SpecByKind[ResourceKind] | undefined,
  ) => Promise<SpecProblem[]>;
  // A broken field was told already; what a rule says of the value in its place is not about the caller's.
  const told = new Set([...broken, ...names.map(({ path }) => path)]);
  const ruled = (await rules(address, spec, current?.document.spec)).filter(
    ({ path }) => !told.has(path.split('.')[0] ?? ''),
  );
  const problems = [...names, ...shape, ...ruled];
  if (problems.length > 0) throw refusal(`the ${address.kind} '${address.key.slice(0, 100)}'`, problems);
}

function normalized(kind: ResourceKind, spec: SpecByKind[ResourceKind]): SpecByKind[ResourceKind] {
  if (kind === 'online-endpoint') return normalizeEndpoint(spec as SpecByKind['online-endpoint']);
  return kind === 'batch-endpoint' ? normalizeBatchEndpoint(spec as SpecByKind['batch-endpoint']) : spec;
}

async function create(
  deps: Deps,
  address: Address,
  spec: SpecByKind[ResourceKind],
  principal: string,
): Promise<PutResourceResponse | undefined> {
  const { resources, clock } = deps;
  const past = await resources.history(address.storeKey);
  const key = await spelledKey(deps, address);
  const content = await sealed(deps, address, spec);
  const document = createdDocument({ ...address, key }, content, nextGeneration(past), actOf(clock, principal));
  // On top of the last entry, were it a deletion: a generation is never given twice.
  const revision = await resources.write(address.storeKey, document, past.at(-1)?.revision);
  if (revision === undefined) return undefined;
  return { resource: await resources.message({ document, revision }), created: true, changed: true };
}

async function update(
  deps: Deps,
  address: Address,
  spec: SpecByKind[ResourceKind],
  current: Read,
  principal: string,
): Promise<PutResourceResponse | undefined> {
  const { resources, clock } = deps;
  const same = sameJson(spec, await resources.openSpec(current.document));
  // Asking for the same again after a failure is how a person says: try once more.
  if (same && current.document.state !== 'Failed') {
    return { resource: await resources.message(current), created: false, changed: false };
  }
  const content = await sealed(deps, address, spec);
  const document = updatedDocument(current.document, content, actOf(clock, principal));
  const revision = await resources.write(address.storeKey, document, current.revision);
  if (revision === undefined) return undefined;
  return { resource: await resources.message({ document, revision }), created: false, changed: true };
}

/** A deployment is spelled below its endpoint as the endpoint spells itself. */
async function spelledKey({ resources }: Deps, { kind, key, names }: Address): Promise<string> {
  if (isEndpointKind(kind) || isAssetKind(kind)) return key;
  const [endpointName = '', name = ''] = names;
  const above = endpointKindOf[kind];
  const endpoint = await resources.get(above, readAddress(above, endpointName).address.storeKey);
  return `${endpoint?.document.key ?? endpointName}/${name}`;
}

async function sealed({ vault }: Deps, { storeKey }: Address, spec: SpecByKind[ResourceKind]): Promise<Content> {
  if (!('environmentVariables' in spec) || Object.keys(spec.environmentVariables).length === 0) return { spec };
  const bare = { ...spec, environmentVariables: {} };
  return { spec: bare, sealed: await vault.seal(storeKey, spec.environmentVariables) };
}
