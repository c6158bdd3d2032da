import { pickDeployment } from '@mooring/domain';
import type { PlatformError } from '@mooring/errors';
import { failedReply, type CallHead, type ScoreReply } from '@mooring/scoring-stream';
import { whyNot } from './admit.ts';
import type { DeploymentEntry, Directory, EndpointEntry } from './directory.ts';

/**
 * The answer to a call that would be refused whatever its body holds. A call that names no deployment is refused only when
 * every one that might be drawn for it refuses: drawing here and again later would change how traffic is split.
 */
export function refuseHead(
  directory: Directory,
  head: CallHead,
  bytesMax: number,
  onRefused: (target: DeploymentEntry, error: PlatformError) => void,
): ScoreReply | undefined {
  const endpoint = directory.endpoint(head.endpoint);
  if (endpoint === undefined) return undefined;
  const targets = head.deployment === '' ? drawable(endpoint) : pinned(endpoint, head.deployment);
  let first: { target: DeploymentEntry; error: PlatformError } | undefined;
  for (const target of targets) {
    // One that answers from a cache, or shares a run, may need no place.
    const error = target.alike ? undefined : whyNot(target, head, head.bodyBytes, bytesMax);
    if (error === undefined) return undefined;
    first ??= { target, error };
  }
  if (first === undefined) return undefined;
  onRefused(first.target, first.error);
  const answer = failedReply(first.error, false);
  if (targets.length === 1) {
    answer.deployment = first.target.route.name;
    answer.pick = head.deployment === '' ? 'weight' : 'pin';
  }
  return answer;
}

function pinned(endpoint: EndpointEntry, name: string): readonly DeploymentEntry[] {
  const deployment = endpoint.deployments.get(name.toLowerCase());
  return deployment === undefined ? [] : [deployment];
}

const drawableOf = new WeakMap<EndpointEntry, readonly DeploymentEntry[]>();

/** The deployments that the traffic table may draw; worked out once for each state of an endpoint. */
function drawable(endpoint: EndpointEntry): readonly DeploymentEntry[] {
  let found = drawableOf.get(endpoint);
  if (found === undefined) {
    const names = new Set(
      Array.from({ length: 100 }, (_unused, point) => pickDeployment(endpoint.traffic, point)?.toLowerCase()),
    );
    const entries = [...names].map((name) => (name === undefined ? undefined : endpoint.deployments.get(name)));
    // A point without a deployment has an answer of its own.
    found = entries.every((entry) => entry !== undefined) ? entries : [];
    drawableOf.set(endpoint, found);
  }
  return found;
}
