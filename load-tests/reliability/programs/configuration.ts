import { Agent, request } from 'node:http';
import { putEndpoints } from '../../bench/systems/put-endpoints.ts';
import { asPut, Management } from '../management.ts';
import { median } from '../observe/slope.ts';
import { Platform } from '../platform.ts';
import { figure, type Program } from '../programs.ts';

const edges = 2;
/** Connections that are looked at; the kernel gives each to one of the processes. */
const connections = 24;
const reachMaxMs = 1_000;
const lookMs = 10;
const lastMs = 20_000;
const body = '{"data": [[5.1, 3.5, 1.4, 0.2]]}';

/** Milliseconds from the answer to a change of traffic until every data-plane process goes by it, for each change. */
export async function measureReach(endpoints: number, changes: number, signal: AbortSignal): Promise<number[]> {
  const platform = new Platform(signal);
  const agents = Array.from({ length: connections }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  try {
    await platform.start('default', edges);
    await platform.deploy('hot', ['blue', 'green'], 'instance_count: 1');
    const { hostname, port } = new URL(platform.management);
    const names = Array.from({ length: endpoints - 1 }, (_unused, index) => `more-${index}`);
    await putEndpoints(names, { host: hostname, port: Number(port), data: platform.data, signal });
    const key = await platform.key('hot', 'primaryKey');
    const management = new Management(platform, signal);
    const reached: number[] = [];
    for (let change = 0; change < changes; change += 1) {
      const wanted = change % 2 === 0 ? 'green' : 'blue';
      const found = await management.get('/onlineEndpoints/hot');
      if (found === undefined) throw new Error('the endpoint is gone');
      const resource = asPut(found);
      resource.properties['traffic'] = { [wanted]: 100, [wanted === 'green' ? 'blue' : 'green']: 0 };
      await management.put('/onlineEndpoints/hot', resource);
      const from = performance.now();
      const answers = (): Promise<string[]> =>
        Promise.all(agents.map((agent) => answeredBy(agent, platform.http, key)));
      while ((await answers()).some((deployment) => deployment !== wanted)) {
        if (performance.now() - from > lastMs) throw new Error(`the change has not reached all in ${lastMs} ms`);
        await new Promise((resolve) => setTimeout(resolve, lookMs));
      }
      reached.push(performance.now() - from);
      await management.settled('/onlineEndpoints/hot');
    }
    return reached;
  } finally {
    for (const agent of agents) agent.destroy();
    await platform.stop();
  }
}

function answeredBy(agent: Agent, http: string, key: string): Promise<string> {
  const headers = { authorization: `Bearer ${key}`, 'content-length': body.length };
  return new Promise((resolve, reject) => {
    const call = request(`${http}/endpoints/hot/score`, { method: 'POST', agent, headers }, (answer) => {
      answer.resume().on('end', () => resolve(String(answer.headers['azureml-model-deployment'] ?? '')));
    });
    call.on('error', reject);
    call.setTimeout(lastMs, () => call.destroy(new Error('no answer in time')));
    call.end(body);
  });
}

export const configurationProgram: Program = {
  name: 'configuration',
  about: 'a thousand endpoints: how long a change takes to reach every data-plane process',
  run: async ({ count }, signal) => {
    const reached = await measureReach(1_000, count, signal);
    const most = Math.max(...reached);
    figure(
      `configuration: ${count} changes of traffic among 1000 endpoints, ${edges} data-plane processes, all reached after ` +
        `p50 ${median(reached).toFixed(0)} ms, longest ${most.toFixed(0)} ms (at most ${reachMaxMs})`,
    );
    return most <= reachMaxMs;
  },
};
