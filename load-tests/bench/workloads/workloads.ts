import type { ModelName } from '../payloads.ts';

/** What is varied and how it is measured; each kind has a file of its own. */
export type WorkloadKind = 'closed' | 'in-flight' | 'bodies' | 'endpoints' | 'open-loop' | 'overload';

export interface Workload {
  name: string;
  kind: WorkloadKind;
  about: string;
  /** Whose answers are compared with a bare session.run. */
  model?: ModelName;
  /** Measured at these points unless the command line says others. */
  points: readonly number[];
  /** A point in words. */
  unit: string;
  /** Systems that the others are compared with, as far as they were measured. */
  references: readonly string[];
  /** What the requests themselves wait for, so that the rest is what the path adds. */
  waitMs?: number;
}

const iris = { model: 'iris', kind: 'closed', points: [1, 8, 32], unit: 'in flight' } as const;

export const workloads: readonly Workload[] = [
  {
    ...iris,
    name: 'iris-rest',
    about: 'a row of iris through a 0.6 KB ONNX model, Open Inference Protocol in JSON',
    references: ['node-echo', 'mlserver'],
  },
  {
    ...iris,
    name: 'iris-rest-binary',
    about: 'the same with binary tensors (node-echo gets their JSON form)',
    references: ['node-echo'],
  },
  { ...iris, name: 'iris-score', about: 'the same at /score', references: ['node-echo', 'azureml'] },
  { ...iris, name: 'iris-grpc', about: 'the same by gRPC, raw contents', references: ['grpc-echo', 'mlserver'] },
  {
    ...iris,
    name: 'cnn-rest',
    model: 'cnn',
    points: [1, 8],
    about: 'a picture through a 6 MB ONNX model of about 5 ms',
    references: ['session-loops', 'mlserver'],
  },
  {
    name: 'script-rest',
    kind: 'closed',
    points: [1, 8],
    unit: 'in flight',
    about: 'a Python scoring script that adds eight numbers, two workers',
    references: ['node-echo', 'azureml', 'fastapi'],
  },
  {
    name: 'script-wait20',
    kind: 'closed',
    points: [1, 16, 64],
    unit: 'in flight',
    about: 'a Python scoring script that waits 20 ms, 64 workers',
    references: [],
    waitMs: 20,
  },
  {
    ...iris,
    name: 'in-flight',
    kind: 'in-flight',
    points: [1, 2, 4, 8, 16, 32, 64, 128, 256],
    about: 'iris-rest against the number of callers',
    references: ['node-echo'],
  },
  {
    name: 'bodies',
    kind: 'bodies',
    model: 'iris',
    points: [1e3, 1e4, 1e5, 1e6, 1e7],
    unit: 'bytes',
    about: 'iris-rest with many rows against the size of the body, 8 in flight; only labels are asked for',
    references: ['node-echo'],
  },
  {
    name: 'endpoints',
    kind: 'endpoints',
    model: 'iris',
    points: [1, 10, 100, 1000],
    unit: 'endpoints',
    about: 'iris-rest against the number of endpoints that the platform has, 8 in flight',
    references: ['node-echo'],
  },
  {
    name: 'open-loop',
    kind: 'open-loop',
    model: 'iris',
    points: [0.25, 0.5, 0.75],
    unit: 'of capacity',
    about: 'iris-rest at a constant arrival rate; latency counts from when a request was due',
    references: ['node-echo'],
  },
  {
    name: 'overload',
    kind: 'overload',
    model: 'cnn',
    points: [2, 5, 10],
    unit: 'x capacity',
    about: 'cnn-rest at a constant arrival rate beyond capacity, deadline 1 s',
    references: [],
  },
];

/** What a run without --only measures. */
export const usual: readonly string[] = workloads.filter(({ kind }) => kind === 'closed').map(({ name }) => name);

export function workloadNamed(name: string): Workload {
  const found = workloads.find((workload) => workload.name === name);
  if (found === undefined) throw new Error(`there is no workload ${name}`);
  return found;
}
