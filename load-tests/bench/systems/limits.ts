import { inferRequest, oipJson, payloads, rowsJson, scriptNumbers } from '../payloads.ts';
import { Child } from '../processes/child.ts';
import type { Context, Host, Row, Shot } from './system.ts';

const startMs = 20_000;

/** A bare server of this folder's own that answers what it gets. */
export class EchoHost implements Host {
  readonly name: string;
  readonly #kind: 'node-echo' | 'grpc-echo';
  readonly #context: Context;
  #child: Child | undefined;
  #port = 0;

  constructor(kind: 'node-echo' | 'grpc-echo', context: Context) {
    this.name = kind;
    this.#kind = kind;
    this.#context = context;
  }

  async start(): Promise<void> {
    this.#child = Child.module(
      this.name,
      new URL(`../limits/${this.#kind}.ts`, import.meta.url),
      this.#context.environment,
    );
    const { port } = await this.#child.message<{ port: number }>(startMs, this.#context.signal);
    this.#port = port;
  }

  pids(): number[] {
    return this.#child === undefined ? [] : [this.#child.pid];
  }

  shot({ workload }: Row): Shot {
    const at = { host: '127.0.0.1', port: this.#port, reading: 'none' } as const;
    if (this.#kind === 'grpc-echo') {
      const path = '/inference.GRPCInferenceService/ModelInfer';
      return { ...at, protocol: 'grpc', path, headers: {}, body: inferRequest('iris', payloads.iris) };
    }
    return {
      ...at,
      protocol: 'http',
      path: '/',
      headers: { 'Content-Type': 'application/json' },
      body: echoBody(workload),
    };
  }

  async stop(): Promise<void> {
    await this.#child?.stop(2_000);
  }
}

/** The JSON that Mooring gets; where that gets binary tensors, their JSON form, which is what they save. */
function echoBody(workload: string): Buffer {
  if (workload.startsWith('script')) return rowsJson({ shape: [scriptNumbers.length], data: scriptNumbers });
  if (workload === 'iris-score') return rowsJson(payloads.iris);
  return oipJson(workload.startsWith('cnn') || workload === 'overload' ? payloads.cnn : payloads.iris);
}
