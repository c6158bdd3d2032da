import { createHash } from 'node:crypto';
import { PlatformError } from '@mooring/errors';

const containerName = /^[a-z0-9][a-z0-9-]{0,62}$/;
const pathBytesMax = 1024;
const segmentBytesMax = 255;
const depthMax = 32;

function refuse(reason: string, message: string): never {
  throw new PlatformError('invalid_argument', reason, message);
}

/** A container's name is a folder's name below the root, so it is held to Azure's narrow rule. */
export function isContainerName(name: string): boolean {
  return containerName.test(name);
}

export function checkContainer(name: string): string {
  if (isContainerName(name)) return name;
  return refuse('CONTAINER_NAME', 'a container is named by 1 to 63 lower-case letters, digits and dashes');
}

/** Splits a path into safe segments; throws on anything that could mean another place. */
export function safeSegments(path: string): string[] {
  if (path === '') refuse('ARTIFACT_PATH', 'the path is empty');
  if (Buffer.byteLength(path) > pathBytesMax) refuse('ARTIFACT_PATH', `the path is longer than ${pathBytesMax} bytes`);
  const segments = path.split('/');
  if (segments.length > depthMax) refuse('ARTIFACT_PATH', `the path is deeper than ${depthMax} folders`);
  for (const segment of segments) {
    if (segment === '' || segment === '.' || segment === '..') {
      refuse('ARTIFACT_PATH', "the path holds an empty part, '.' or '..'");
    }
    if (/[\p{Cc}\\]/u.test(segment) || !segment.isWellFormed()) {
      refuse('ARTIFACT_PATH', 'the path holds a control character, a backslash or broken text');
    }
    if (Buffer.byteLength(segment) > segmentBytesMax) {
      refuse('ARTIFACT_PATH', `a part of the path is longer than ${segmentBytesMax} bytes`);
    }
  }
  return segments;
}

/** True where something can be stored at `path`. */
export function isArtifactPath(path: string): boolean {
  try {
    return safeSegments(path).length > 0;
  } catch {
    return false;
  }
}

/** A file name for what belongs to an artifact but must not lie beside it. */
export function sideName(container: string, path: string): string {
  return createHash('sha256').update(`${container}/${path}`).digest('hex');
}
