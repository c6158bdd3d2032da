import { Agent, request } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestNats, tempDir, type TempDir, type TestNats } from '@mooring/testing';
import { startTestManagement, type TestManagement } from './testing/test-management.ts';

let nats: TestNats;
let data: TempDir;
let management: TestManagement;
beforeAll(async () => {
  nats = await startTestNats();
  data = tempDir();
  management = await startTestManagement({ nats, data: data.path });
});
afterAll(async () => {
  await management.stop();
  await nats.stop();
  data.remove();
});

/** One call over the agent's connection: its status, and whether the connection goes on. */
function call(agent: Agent): Promise<{ status: number; connection: string | undefined }> {
  const path =
    '/subscriptions/s/resourceGroups/r/providers/Microsoft.MachineLearningServices/workspaces/w/onlineEndpoints';
  const headers = { authorization: `Bearer ${management.token}` };
  return new Promise((resolve, reject) => {
    const asked = request(`${management.url}${path}`, { agent, headers }, (response) => {
      const { connection } = response.headers;
      response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, connection }));
    });
    asked.on('error', reject);
    asked.end();
  });
}

it('a management whose place is taken answers what comes on a kept connection, and says that it ends', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  expect(await call(agent)).toEqual({ status: 200, connection: 'keep-alive' });
  const retired = management.retire();
  expect(await call(agent)).toEqual({ status: 200, connection: 'close' });
  // With that its last connection is gone, and nothing is left to wait for.
  const startedAt = performance.now();
  await retired;
  expect(performance.now() - startedAt).toBeLessThan(3_000);
  await expect(call(agent)).rejects.toThrow('ECONNREFUSED');
  agent.destroy();
});
