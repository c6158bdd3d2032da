import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Priority } from '@mooring/contracts/scoring';
import { fixture } from '@mooring/testing';
import type { ModelRuntime } from '@mooring/scoring-stream';
import { describe, expect, it } from 'vitest';
import { ask, jsonOf, scoreCall, useRuntimes } from './testing.ts';

const { runningText } = useRuntimes(fixture('slow-and-bad/scripts'));

/** Says how often it ran before, so that a call that ran twice, or in another's place, is seen. */
const script = `
import ctypes, json, os, time
runs = {}
def init():
    global log
    log = os.open(os.environ["HOME"] + "/ran", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
def run(raw_data):
    d = json.loads(raw_data)
    if "n" in d:
        runs[d["n"]] = runs.get(d["n"], 0) + 1
        os.write(log, b"%d\\n" % d["n"])
    if d.get("exit"): os._exit(3)
    if d.get("sleep"): time.sleep(d["sleep"])
    if d.get("native"): ctypes.PyDLL(None).usleep(d["native"])
    return {"n": d.get("n"), "pid": os.getpid(), "ran": runs.get(d.get("n"), 0)}
`;

/** Until the runtime knows that calls are short, and gives workers more than one. */
async function warmUp(runtime: ModelRuntime): Promise<void> {
  for (let round = 0; round < 20; round += 1) await Promise.all(Array.from({ length: 10 }, () => ask(runtime, {})));
}

describe('calls that a worker has before it is done with the one that runs', () => {
  it('get each its own answer, once, whoever of the others leaves', async () => {
    const { runtime } = await runningText(script, { workerCount: 2 });
    await warmUp(runtime);
    let left = 0;
    const stays = async (n: number): Promise<void> => {
      expect(jsonOf(await ask(runtime, { n }))).toMatchObject({ n, ran: 1 });
    };
    const leaves = async (n: number): Promise<void> => {
      const gone = new AbortController();
      const answer = runtime.score(scoreCall({ n }), gone.signal);
      if (n % 3 > 0) await new Promise((resolve) => setImmediate(resolve));
      gone.abort();
      const { errorCode, body } = await answer;
      if (errorCode === 'cancelled') left += 1;
      else expect(JSON.parse(body.toString())).toMatchObject({ n, ran: 1 });
    };
    for (let round = 0; round < 100; round += 1) {
      const all = Array.from({ length: 24 }, (_, at) => ((at + round) % 3 === 0 ? leaves : stays)(round * 24 + at));
      await Promise.all(all);
    }
    expect(left).toBeGreaterThan(100);
  });

  it('are called back when that turns out to be long, and go to another worker in their order', async () => {
    const { runtime } = await runningText(script, { workerCount: 2 });
    await warmUp(runtime);
    const from = performance.now();
    const long = ask(runtime, { sleep: 3 });
    const ended: number[] = [];
    const short = Array.from({ length: 14 }, async (_, n) => {
      const answer = await ask(runtime, { n });
      expect(jsonOf(answer)).toMatchObject({ n, ran: 1 });
      ended.push(performance.now() - from);
    });
    await Promise.all(short);
    expect(Math.max(...ended)).toBeLessThan(1_500);
    expect((await long).status).toBe(200);
  });

  it('go to another worker also when native code holds theirs, and none of them runs twice', async () => {
    const { runtime, dir } = await runningText(script, { workerCount: 2 });
    await warmUp(runtime);
    let n = 0;
    const one = async (native: number): Promise<void> => {
      const id = (n += 1);
      expect(jsonOf(await ask(runtime, { n: id, native }))).toMatchObject({ n: id, ran: 1 });
    };
    const from = performance.now();
    const long = one(1_500_000);
    await Promise.all(Array.from({ length: 14 }, () => one(0)));
    expect(performance.now() - from).toBeLessThan(1_200);
    await long;
    // Long enough to be late, at any place among short ones.
    for (let round = 0; round < 120; round += 1) {
      const longAt = round % 3 === 0 ? round % 16 : -1;
      await Promise.all(Array.from({ length: 16 }, (_, at) => one(at === longAt ? 7_000 : 0)));
    }
    const ran = readFileSync(join(dir, 'ran'), 'utf8').trim().split('\n').map(Number);
    expect(ran.toSorted((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, at) => at + 1));
  });

  it('have their answers although the next one stays in native code, and those behind it when it ends', async () => {
    const { runtime } = await runningText(script);
    await warmUp(runtime);
    const from = performance.now();
    const ended: number[] = [];
    const one = async (n: number): Promise<void> => {
      const answer = await ask(runtime, n === 3 ? { n, native: 900_000 } : { n });
      expect(jsonOf(answer)).toMatchObject({ n, ran: 1 });
      ended[n] = performance.now() - from;
    };
    await Promise.all([0, 1, 2, 3, 4, 5].map(one));
    expect(Math.max(...ended.slice(0, 3))).toBeLessThan(500);
    expect(Math.min(...ended.slice(3))).toBeGreaterThan(850);
    expect(jsonOf(await ask(runtime, { n: 9 }))).toMatchObject({ n: 9, ran: 1 });
  });

  it('go to the next worker when theirs ends; only the one that ran is lost', async () => {
    const { runtime } = await runningText(script);
    await warmUp(runtime);
    const answers = await Promise.all([
      ask(runtime, { n: 0 }),
      ask(runtime, { n: 1, exit: true }),
      ...Array.from({ length: 6 }, (_, at) => ask(runtime, { n: at + 2 })),
    ]);
    expect(answers[1]).toMatchObject({ errorReason: 'WORKER_EXITED', started: true });
    for (const [n, answer] of answers.entries()) {
      if (n !== 1) expect(jsonOf(answer)).toMatchObject({ n, ran: 1 });
    }
  });

  it('that have no time any more are answered while it goes on, and never run', async () => {
    const { runtime } = await runningText(script);
    await warmUp(runtime);
    const long = ask(runtime, { sleep: 1 });
    const late = Array.from({ length: 3 }, (_, n) => ask(runtime, { n }, { deadlineMs: 100 }));
    const from = performance.now();
    for (const answer of await Promise.all(late)) {
      expect(answer).toMatchObject({ errorCode: 'scoring_timeout', started: false });
    }
    expect(performance.now() - from).toBeLessThan(700);
    expect((await long).status).toBe(200);
    for (const n of [0, 1, 2]) expect(jsonOf(await ask(runtime, { n }))).toMatchObject({ ran: 1 });
  });

  it('are live ones: mirrored copies wait where a live call can still overtake them', async () => {
    const { runtime } = await runningText(script);
    await warmUp(runtime);
    const order: string[] = [];
    const send = async (name: string, priority: Priority): Promise<void> => {
      await ask(runtime, {}, { priority });
      order.push(name);
    };
    const copies = ['a', 'b', 'c', 'd'].map((name) => send(name, Priority.PRIORITY_MIRROR));
    await Promise.all([...copies, send('live', Priority.PRIORITY_LIVE)]);
    // The first copy found the worker idle.
    expect(order).toEqual(['a', 'live', 'b', 'c', 'd']);
  });
});
