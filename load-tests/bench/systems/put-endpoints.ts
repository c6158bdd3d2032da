import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../processes/child.ts';

export interface Management {
  host: string;
  port: number;
  /** The platform's data folder, where the admin token is. */
  data: string;
  signal: AbortSignal;
}

const workspace =
  '/subscriptions/local/resourceGroups/local/providers/Microsoft.MachineLearningServices/workspaces/default';
const atOnce = 8;
const callMs = 60_000;
const readyMs = 120_000;

/** Makes endpoints without deployments by the management REST: a thousand commands of the CLI would take a quarter of an hour. */
export async function putEndpoints(names: readonly string[], management: Management): Promise<void> {
  const queue = [...names];
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await putEndpoint(name, management);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

async function putEndpoint(name: string, { host, port, data, signal }: Management): Promise<void> {
  const token = readFileSync(join(data, 'secrets', 'admin.token'), 'utf8').trim();
  const url = `http://${host}:${port}${workspace}/onlineEndpoints/${name}?api-version=2024-04-01`;
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const end = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(callMs)]);
  const body = JSON.stringify({ location: 'local', properties: { authMode: 'Key' } });
  const answer = await fetch(url, { method: 'PUT', headers, body, signal: end() });
  if (!answer.ok) throw new Error(`PUT of endpoint ${name} was answered ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
  const isThere = async (): Promise<boolean> => {
    const found = (await (await fetch(url, { headers, signal: end() })).json()) as {
      properties: { provisioningState: string };
    };
    return found.properties.provisioningState === 'Succeeded';
  };
  await until(isThere, readyMs, signal, () => `endpoint ${name} was not there in time`);
}
