import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Meter, type Foreign } from './measure.ts';
import { makeCnn } from './models/cnn.ts';
import { payloads, type ModelName } from './payloads.ts';
import type { Context, Host, Loop, Row, Shot, SystemEntry } from './systems/system.ts';
import { checkAnswer, sendOnce } from './verify.ts';
import type { Workload } from './workloads/workloads.ts';

/** Something that can be measured: a row of a workload's table. */
export interface Subject {
  name: string;
  host?: Host;
  shot?: Shot;
  loop?: Loop;
}

const irisFile = fileURLToPath(new URL('../../libs/testing/fixtures/iris-onnx/model.onnx', import.meta.url));

/** Everything that a run starts; `close` ends it all and removes its folder. */
export class Session {
  readonly context: Context;
  readonly meter: Meter;
  /** What failed to start or answered wrongly. */
  readonly leftOut: string[] = [];
  readonly #hosts = new Map<string, Host>();
  readonly #expected = new Map<ModelName, number[]>();
  readonly #traces: Server;

  private constructor(context: Context, traces: Server, foreign: Foreign) {
    this.context = context;
    this.#traces = traces;
    this.meter = new Meter(context, () => [process.pid], foreign);
  }

  static async open(signal: AbortSignal, say: (line: string) => void, foreign: Foreign = {}): Promise<Session> {
    const temp = mkdtempSync(join(tmpdir(), 'mooring-bench-'));
    const cnnFile = join(temp, 'cnn.onnx');
    writeFileSync(cnnFile, makeCnn());
    const traces = createServer((request, response) => {
      request.resume();
      request.on('end', () => response.end('{}'));
    });
    await new Promise<void>((resolve) => traces.listen(0, '127.0.0.1', resolve));
    const context: Context = {
      temp,
      signal,
      say,
      environment: { TMPDIR: temp },
      modelFile: (model) => (model === 'iris' ? irisFile : cnnFile),
      tracesUrl: `http://127.0.0.1:${(traces.address() as AddressInfo).port}`,
      cache: process.env['MOORING_BENCH_CACHE'] ?? join(homedir(), '.cache', 'mooring-bench'),
    };
    return new Session(context, traces, foreign);
  }

  /** Starts what the workloads need of the systems. What fails to start is said, and left out. */
  async start(systems: readonly SystemEntry[], chosen: readonly Workload[]): Promise<void> {
    const needed = new Map<string, { make: (context: Context) => Host; rows: Row[] }>();
    for (const entry of systems) {
      const rows = chosen
        .filter(({ name }) => entry.workloads.includes(name))
        .map(({ name }) => ({ system: entry.name, workload: name }));
      if (entry.host === undefined || rows.length === 0) continue;
      if (entry.isThere?.(this.context) === false) {
        this.context.say(`${entry.name} is left out: --install ${entry.name} installs it`);
        continue;
      }
      const key = entry.hostKey ?? entry.name;
      const present = needed.get(key);
      if (present === undefined) needed.set(key, { make: entry.host, rows });
      else present.rows.push(...rows);
    }
    for (const [key, { make, rows }] of needed) {
      const host = make(this.context);
      this.context.say(`starting ${host.name}`);
      this.#hosts.set(key, host);
      try {
        await host.start(rows);
      } catch (error) {
        this.context.signal.throwIfAborted();
        this.leaveOut(host.name, error);
        this.#hosts.delete(key);
        await host.stop();
      }
    }
  }

  /** The rows of one workload that run, each with an answer that was checked; one whose answer is wrong is left out. */
  async subjects(systems: readonly SystemEntry[], workload: Workload): Promise<Subject[]> {
    const found: Subject[] = [];
    for (const { name, host, hostKey, loop, workloads } of systems) {
      if (!workloads.includes(workload.name)) continue;
      if (loop !== undefined && workload.model !== undefined) {
        found.push({ name, loop: { ...loop, model: workload.model } });
        continue;
      }
      const running = host === undefined ? undefined : this.#hosts.get(hostKey ?? name);
      const shot = running?.shot({ system: name, workload: workload.name });
      if (running === undefined || shot === undefined) continue;
      try {
        await this.verify(name, shot, workload.model);
      } catch (error) {
        this.context.signal.throwIfAborted();
        this.leaveOut(name, error);
        continue;
      }
      found.push({ name, host: running, shot });
    }
    return found;
  }

  async verify(name: string, shot: Shot, model: ModelName | undefined): Promise<void> {
    const expected = model === undefined ? [] : await this.#expectedOf(model);
    try {
      const output = model === undefined ? '' : payloads[model].output;
      checkAnswer(shot.reading, await sendOnce(shot, this.context.signal), output, expected);
    } catch (error) {
      throw new Error(`${name}, ${shot.path}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  async close(): Promise<void> {
    await this.meter.stop();
    for (const host of [...this.#hosts.values()].toReversed()) {
      this.context.say(`stopping ${host.name}`);
      await host.stop();
    }
    this.#traces.closeAllConnections();
    this.#traces.close();
    rmSync(this.context.temp, { recursive: true, force: true });
  }

  /** Something that was to be measured is not: said now, and in the end. */
  leaveOut(name: string, error: unknown): void {
    const line = `${name} is left out: ${error instanceof Error ? error.message : String(error)}`;
    this.leftOut.push(line);
    this.context.say(line);
  }

  async #expectedOf(model: ModelName): Promise<number[]> {
    const known = this.#expected.get(model) ?? (await this.meter.expected(model));
    this.#expected.set(model, known);
    return known;
  }
}
