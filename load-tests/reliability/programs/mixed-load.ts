import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { freshConnections, grpcCaller, keptConnections } from '../callers.ts';
import type { Case } from '../cases.ts';
import type { Platform } from '../platform.ts';

const tickMs = 4;
const openMax = 1_000;
const latenciesMax = 200_000;
const wrongMax = 100;
const scriptBody = '{"data": [1.5, 2.5]}';

export interface MixedLoad {
  stop(): Promise<{ sent: number; wrong: readonly string[]; latencies: readonly number[] }>;
}

/** One request of each kind in turn: what became of it, or undefined when that is as it should be. */
type Kind = (one: Case) => Promise<string | undefined>;

/** All that callers do, at a steady rate: right and wrong requests over REST and gRPC, scripts, and callers who leave. */
export function mixedLoad(
  platform: Platform,
  keys: ReadonlyMap<string, string>,
  cases: readonly Case[],
  perSecond: number,
): MixedLoad {
  const callers = [keptConnections(false), freshConnections(), grpcCaller(), keptConnections(true)];
  const [latencies, wrong, open]: [number[], string[], Set<Promise<void>>] = [[], [], new Set()];
  const target = (endpoint: string) => ({
    http: platform.http,
    grpc: platform.grpc,
    endpoint,
    key: keys.get(endpoint) ?? '',
  });
  const right = callers.flatMap((caller) =>
    ['inline', 'apart'].map((endpoint): Kind => {
      return async (one) => {
        const { kind, detail, tookMs } = await caller.send(target(endpoint), one);
        if (latencies.length < latenciesMax) latencies.push(tookMs);
        return kind === 'right' ? undefined : detail;
      };
    }),
  );
  const script = target('script');
  const kinds: Kind[] = [
    ...right,
    () => post(script.http, 'script', script.key, scriptBody, 200),
    () => post(script.http, 'script', 'no-key-of-ours', scriptBody, 401),
    () => post(script.http, 'script', script.key, 'this is no JSON', 500),
    () => post(script.http, 'nowhere', script.key, scriptBody, 404),
    () => leave(script.http, script.key),
  ];
  const judge = async (kind: Kind, one: Case): Promise<void> => {
    const text = await kind(one).catch(String);
    if (text !== undefined && wrong.length < wrongMax) wrong.push(text);
  };
  const from = performance.now();
  let sent = 0;
  const timer = setInterval(() => {
    for (; ((performance.now() - from) * perSecond) / 1_000 >= sent; sent += 1) {
      if (open.size >= openMax) continue;
      const done: Promise<void> = judge(kinds[sent % kinds.length] as Kind, cases[sent % cases.length] as Case);
      open.add(done);
      void done.finally(() => open.delete(done));
    }
  }, tickMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await Promise.all(open);
      for (const caller of callers) caller.close();
      return { sent, wrong, latencies };
    },
  };
}

async function post(
  http: string,
  endpoint: string,
  key: string,
  body: string,
  expected: number,
): Promise<string | undefined> {
  const answer = await fetch(`${http}/endpoints/${endpoint}/score`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body,
    signal: AbortSignal.timeout(20_000),
  });
  await answer.arrayBuffer();
  const isRight = expected === 500 ? answer.status >= 400 && answer.status <= 502 : answer.status === expected;
  return isRight ? undefined : `${endpoint}: ${answer.status} where ${expected} was due`;
}

/** Sends a request, or a part of one, and is gone. */
async function leave(http: string, key: string): Promise<undefined> {
  const { hostname, port } = new URL(http);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
  const head = `POST /endpoints/script/score HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-length: ${scriptBody.length}\r\n\r\n`;
  socket.write(Math.random() < 0.5 ? head : head + scriptBody);
  await delay(Math.random() * 4);
  socket.resetAndDestroy();
  return undefined;
}
