/**
 * What it costs that a listening socket is inherited instead of opened: time from connecting to the first answer, in turns.
 * `node libs/supervisor/src/accept.bench.ts [repeats] [connections]`
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { fileURLToPath } from 'node:url';
import { bindSocket } from './listening-sockets.ts';

const [repeats = 5, connections = 3_000] = process.argv.slice(2).map(Number);
const inFlight = 16;
const program = fileURLToPath(new URL('./testing/pid-server.ts', import.meta.url));

async function start(handle: unknown): Promise<{ child: ChildProcess; port: number }> {
  const own = handle === undefined ? { OWN_SOCKET: '1' } : {};
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc', ...(handle === undefined ? [] : [handle as never])],
    env: { ...process.env, MOORING_LOG_LEVEL: 'silent', ...own },
  });
  const [{ facts }] = (await once(child, 'message')) as [{ facts: { port: string } }];
  return { child, port: Number(facts.port) };
}

function answered(port: number): Promise<number> {
  const startedAt = performance.now();
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true });
    socket.on('error', reject);
    socket.once('data', () => {
      resolve(performance.now() - startedAt);
      socket.destroy();
    });
    socket.write('who?\n');
  });
}

async function measure(port: number): Promise<{ perSecond: number; p50: number; p99: number }> {
  const times: number[] = [];
  const startedAt = performance.now();
  const worker = async (): Promise<void> => {
    while (times.length < connections) times.push(await answered(port));
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  const perSecond = Math.round((times.length / (performance.now() - startedAt)) * 1_000);
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): number => Math.round((sorted[Math.floor(share * (sorted.length - 1))] ?? 0) * 100) / 100;
  return { perSecond, p50: at(0.5), p99: at(0.99) };
}

const { handle } = await bindSocket('127.0.0.1:0');
const servers = { own: await start(undefined), inherited: await start(handle) };
for (const { port } of Object.values(servers)) await measure(port);
for (let repeat = 0; repeat < repeats; repeat += 1) {
  const rows = [];
  for (const [name, { port }] of Object.entries(servers)) rows.push({ name, ...(await measure(port)) });
  process.stdout.write(`${rows.map((row) => JSON.stringify(row)).join('  ')}\n`);
}
for (const { child } of Object.values(servers)) child.disconnect();
handle.close();
