import { fork, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Auth, registry, management and the batch-scheduler as processes of their own, found by the data folder that they share. */
export interface ControlPlane {
  url: string;
  token: string;
  /** gRPC address of a service. */
  address(service: 'registry' | 'auth' | 'batch-scheduler'): string;
  stop(): Promise<void>;
}

const apps = fileURLToPath(new URL('../../../../apps/', import.meta.url));

export async function startControlPlane(data: string, nats: Readonly<Record<string, string>>): Promise<ControlPlane> {
  const environment = {
    ...nats,
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    MOORING_DATA: data,
    MOORING_MANAGEMENT_HTTP: '127.0.0.1:0',
    // No controller serves: that jobs cannot go on is told again and again.
    MOORING_LOG_LEVEL: 'error',
  };
  const children: ChildProcess[] = [];
  let url = '';
  for (const app of ['auth', 'registry', 'management', 'batch-scheduler']) {
    const { child, facts } = await startApp(app, environment);
    children.unshift(child);
    url = facts['management'] ?? url;
  }
  return {
    url,
    token: readFileSync(join(data, 'secrets', 'admin.token'), 'utf8').trim(),
    address: (service) => `unix:${join(data, 'run', `${service}.sock`)}`,
    stop: async () => {
      for (const child of children) await endChild(child);
    },
  };
}

async function startApp(
  app: string,
  env: NodeJS.ProcessEnv,
): Promise<{ child: ChildProcess; facts: Record<string, string> }> {
  const main = join(apps, app, 'src/main.ts');
  const child = fork(main, { env, stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] });
  const facts = await new Promise<Record<string, string>>((resolve, reject) => {
    child.once('message', (message) => resolve((message as { facts: Record<string, string> }).facts));
    child.once('exit', (code) => reject(new Error(`${app} ended with ${code} before it was ready`)));
  });
  return { child, facts };
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
