import type { DeleteResourceRequest, DeleteResourceResponse } from '@mooring/contracts/registry';
import {
  endpointKindOf,
  isAssetKind,
  isEndpointKind,
  type BatchEndpointSpec,
  type OnlineEndpointSpec,
} from '@mooring/domain';
import { partsOf } from '../domain/component-rules.ts';
import { checkAssetUnused, checkDeploymentUnused, checkNotDefault } from '../domain/delete-rules.ts';
import { deletingDocument, needsController } from '../domain/document.ts';
import { checkIfMatch } from '../domain/if-match.ts';
import { addressOf, readAddress, type Address } from '../domain/keys.ts';
import { actOf, type RegistryDeps } from '../ports.ts';
import type { Resources } from '../resources.ts';
import { listBelow } from '../spec-checks.ts';
import { untilSettled } from '../until-settled.ts';
import type { Writer } from '../write-turn.ts';

type Deps = Pick<RegistryDeps, 'resources' | 'turn' | 'clock'>;

/** One write marks it as Deleting; of an asset nothing has to be taken down, so it is gone with that write. */
export function createDeleteResource({ resources, turn, clock }: Deps) {
  return async (request: DeleteResourceRequest, writer: Writer): Promise<DeleteResourceResponse> => {
    const { address, problems } = readAddress(request.kind, request.key);
    return turn(writer, () =>
      untilSettled(writer.signal, async () => {
        const current = problems.length > 0 ? undefined : await resources.get(address.kind, address.storeKey);
        checkIfMatch(request.ifMatch, address, current?.revision);
        if (current === undefined) return { resource: undefined };
        if (current.document.state === 'Deleting') return { resource: await resources.message(current) };
        await checkUnused(resources, address);
        const document = deletingDocument(current.document, actOf(clock, request.principal));
        const revision = await resources.write(address.storeKey, document, current.revision);
        if (revision === undefined) return undefined;
        if (!needsController(address.kind)) await tidy(resources, address, revision);
        return { resource: await resources.message({ document, revision }) };
      }),
    );
  };
}

async function checkUnused(resources: Resources, address: Address): Promise<void> {
  const { kind, names } = address;
  if (isEndpointKind(kind)) return;
  if (isAssetKind(kind)) return checkAssetUnused(address, await stayingUsers(resources));
  const endpointKind = endpointKindOf[kind];
  const endpoint = await resources.get(endpointKind, addressOf(endpointKind, names[0] ?? '').storeKey);
  if (endpoint === undefined) return;
  const { key: name, state, spec } = endpoint.document;
  if (kind === 'online-deployment') checkDeploymentUnused(address, { name, state, spec: spec as OnlineEndpointSpec });
  else checkNotDefault(address, { name, state, spec: spec as BatchEndpointSpec });
}

/** Deployments, and components, which a job of their pipeline may need any time. */
async function stayingUsers(resources: Resources) {
  const [online, batch, components] = await Promise.all([
    listBelow(resources, 'online-deployment', ''),
    listBelow(resources, 'batch-deployment', ''),
    listBelow(resources, 'component', ''),
  ]);
  const parts = components.flatMap(({ document: { key, spec } }) =>
    partsOf(spec.component).map((part) => ({ key: `component ${key}`, spec: part })),
  );
  const deployments = [...online, ...batch].map(({ document }) => document);
  return [...deployments.filter(({ state }) => state !== 'Deleting'), ...parts];
}

/** The delete has happened already; what is left of the document only takes space. */
async function tidy(resources: Resources, { storeKey }: Address, revision: number): Promise<void> {
  await resources.remove(storeKey, revision).catch(() => false);
}
