import { EchoHost } from './limits.ts';
import { mooringWorkloads } from './mooring-endpoints.ts';
import { MooringHost } from './mooring.ts';
import { isInstalled, type PeerName } from './peer-install.ts';
import { AzuremlHost, FastapiHost, MlserverHost } from './python-peers.ts';
import type { SystemEntry } from './system.ts';

const irisAndCnn = ['iris-rest', 'iris-rest-binary', 'iris-score', 'iris-grpc', 'cnn-rest'];
const sweeps = ['in-flight', 'bodies', 'endpoints', 'open-loop', 'overload'];
const platform = {
  hostKey: 'mooring',
  host: (context) => new MooringHost(context),
} satisfies Partial<SystemEntry>;

/** The rows of every table, in their order. */
export const catalogue: readonly SystemEntry[] = [
  { name: 'mooring', about: 'as `mooring up` starts it', workloads: mooringWorkloads, ...platform },
  { name: 'mooring-threads', about: 'placement pinned to threads', workloads: irisAndCnn, ...platform },
  { name: 'mooring-process', about: 'placement pinned to a process of its own', workloads: irisAndCnn, ...platform },
  { name: 'mooring-batch', about: 'batches of up to 16 rows, 1 ms', workloads: ['cnn-rest'], ...platform },
  {
    name: 'mooring-split',
    about: 'gateway, router and scorer in processes of their own',
    workloads: ['iris-rest', 'iris-score', 'iris-grpc'],
    host: (context) => new MooringHost(context, '--topology', 'split'),
  },
  {
    name: 'mooring-edges',
    about: 'two data-plane processes on one port',
    workloads: [
      'iris-rest',
      'iris-rest-binary',
      'iris-score',
      'iris-grpc',
      'cnn-rest',
      'script-rest',
      'in-flight',
      'open-loop',
      'overload',
    ],
    host: (context) => new MooringHost(context, '--edge', '2'),
  },
  {
    name: 'node-echo',
    about: 'limit: node:http, parses the JSON and writes it back',
    workloads: ['iris-rest', 'iris-rest-binary', 'iris-score', 'script-rest', ...sweeps.slice(0, 4)],
    host: (context) => new EchoHost('node-echo', context),
  },
  {
    name: 'grpc-echo',
    about: 'limit: grpc-js, answers the bytes it gets',
    workloads: ['iris-grpc'],
    host: (context) => new EchoHost('grpc-echo', context),
  },
  {
    name: 'session-loop',
    about: 'limit: session.run in a loop, no server, one core',
    workloads: ['iris-rest', 'cnn-rest'],
    loop: { processes: 1 },
  },
  {
    name: 'session-loops',
    about: 'limit: the same on every core',
    workloads: ['iris-rest', 'cnn-rest'],
    loop: { processes: 1024 },
  },
  {
    name: 'mlserver',
    about: 'peer: MLServer, one process',
    workloads: ['iris-rest', 'iris-grpc', 'cnn-rest', 'script-rest'],
    ...peer('mlserver', (context) => new MlserverHost(context)),
  },
  {
    name: 'azureml',
    about: 'peer: azureml-inference-server-http, two workers',
    workloads: ['iris-rest', 'iris-score', 'cnn-rest', 'script-rest'],
    ...peer('azureml', (context) => new AzuremlHost(context)),
  },
  {
    name: 'fastapi',
    about: 'peer: FastAPI before ONNX Runtime, two workers',
    workloads: ['iris-rest', 'iris-score', 'cnn-rest', 'script-rest'],
    ...peer('fastapi', (context) => new FastapiHost(context)),
  },
];

function peer(name: PeerName, host: NonNullable<SystemEntry['host']>): Pick<SystemEntry, 'host' | 'isThere'> {
  return { host, isThere: (context) => isInstalled(context, name) };
}
