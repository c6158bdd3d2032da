import { fileURLToPath } from 'node:url';
import type { Server, ServiceDefinition } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { ReflectionService } from '@grpc/reflection';

const protoRoot = fileURLToPath(new URL('../../../proto/', import.meta.url));

/** Where the .proto of a package lies; one service per file, folder = package. */
const otherFiles: Readonly<Record<string, string>> = {
  inference: 'third_party/inference/grpc_service.proto',
  'grpc.health.v1': 'third_party/grpc/health/v1/health.proto',
};

/** Adds gRPC server reflection (v1 and v1alpha) for the given services. */
export function addReflection(server: Pick<Server, 'addService'>, definitions: readonly ServiceDefinition[]): void {
  const files = new Set(definitions.flatMap((definition) => protoFileOf(definition) ?? []));
  if (files.size === 0) return;
  const packages = loadSync([...files], { includeDirs: [protoRoot, `${protoRoot}third_party`], keepCase: true });
  new ReflectionService(packages).addToServer(server);
}

function protoFileOf(definition: ServiceDefinition): string | undefined {
  // '/mooring.registry.v1.RegistryService/GetResource' -> 'mooring.registry.v1'
  const path = Object.values(definition)[0]?.path;
  const name = path?.split('/')[1]?.replace(/\.[^.]+$/, '');
  if (name === undefined) return undefined;
  const area = name.split('.')[1];
  // A package of one word is none of ours; what has no .proto here is served without being described.
  return otherFiles[name] ?? (area === undefined ? undefined : `${name.replaceAll('.', '/')}/${area}.proto`);
}
