import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import type { BatchInvocation, InvocationInput } from '@mooring/azureml/yaml';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import type { ApplyContext } from '@mooring/sdk';

type FileType = 'uri_file' | 'uri_folder';

/** An input whose files are known to be there: of this machine, or wherever its address says. */
type FoundInput =
  | { name: string; value: string }
  | { name: string; type: FileType; uri: string }
  | { name: string; type: FileType; path: string; pattern?: string };

/**
 * Looks at the paths of this machine that a job is to read, before anything is sent. Throws one PlatformError with all that lead nowhere,
 * or to something other than their type says.
 */
export async function findInputs({ inputs, baseDir }: BatchInvocation): Promise<FoundInput[]> {
  const { localPathOf } = await import('@mooring/azureml/yaml');
  const problems: FieldProblem[] = [];
  const found: FoundInput[] = [];
  for (const input of inputs) {
    const local = 'path' in input ? localPathOf(input.path) : undefined;
    if (!('path' in input)) found.push(input);
    else if (local === undefined) found.push(remote(input));
    else found.push(...(await findLocal(input, resolve(baseDir, local), problems)));
  }
  if (problems.length > 0) throw PlatformError.invalid('the job', problems);
  return found;
}

type PathInput = Extract<InvocationInput, { path: string }>;

/** One address of the web is one file. */
function remote({ name, type, path }: PathInput): FoundInput {
  return { name, type: type ?? (/^https?:/i.test(path) ? 'uri_file' : 'uri_folder'), uri: path };
}

const globMark = /[*?[{]/;

async function findLocal(input: PathInput, path: string, problems: FieldProblem[]): Promise<FoundInput[]> {
  const there = await stat(path).catch(() => undefined);
  const { root, pattern } = there === undefined ? patternOf(path) : { root: path, pattern: undefined };
  const found = there ?? (pattern === undefined ? undefined : await stat(root).catch(() => undefined));
  const wrong = (problem: string, expected: string): FoundInput[] => {
    problems.push({ path: `inputs.${input.name}.path`, problem, expected });
    return [];
  };
  if (found === undefined || !(found.isFile() || found.isDirectory())) {
    const what = found === undefined ? 'nothing' : 'no file or folder, but a device, pipe or socket,';
    return wrong(
      `there is ${what} at ${shown(path)}`,
      'a file, a folder, a pattern such as photos/*.jpg, or azureml:<data>:<version>',
    );
  }
  if (pattern !== undefined && !found.isDirectory())
    return wrong(`${shown(root)} is a file`, 'a folder before the pattern');
  const type: FileType = found.isDirectory() ? 'uri_folder' : 'uri_file';
  if (input.type !== undefined && input.type !== type) {
    return wrong(
      `${shown(path)} is a ${type === 'uri_folder' ? 'folder or pattern' : 'file'}`,
      `type ${type}, or another path`,
    );
  }
  return [{ name: input.name, type, path: root, ...(pattern === undefined ? {} : { pattern }) }];
}

/** `/a/b/**` + `/*.jpg` is what matches of the folder `/a/b`. */
function patternOf(path: string): { root: string; pattern: string | undefined } {
  const segments = path.split('/');
  const first = segments.findIndex((segment) => globMark.test(segment));
  if (first < 0) return { root: path, pattern: undefined };
  return { root: segments.slice(0, first).join('/') || '/', pattern: segments.slice(first).join('/') };
}

function shown(path: string): string {
  return path.replace(/\p{Cc}/gu, '?').slice(0, 300);
}

/** `inputData` of the request, in the spelling of Azure's SDK; files of this machine are uploaded on the way. */
export async function inputDataOf(
  inputs: readonly FoundInput[],
  context: ApplyContext,
): Promise<Record<string, Record<string, string>>> {
  const { uploadInput } = await import('@mooring/sdk');
  const data: Record<string, Record<string, string>> = {};
  for (const input of inputs) {
    if ('value' in input) {
      data[input.name] = { jobInputType: 'Literal', value: input.value };
      continue;
    }
    const uri =
      'uri' in input
        ? input.uri
        : await uploadInput({ path: input.path, name: basename(input.path) || 'root', glob: input.pattern }, context);
    data[input.name] = { jobInputType: wireType(input.type), uri };
  }
  return data;
}

export function wireType(type: FileType): string {
  return type === 'uri_file' ? 'UriFile' : 'UriFolder';
}
