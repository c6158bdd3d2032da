import type { BatchJobSettings, JobInput } from '@mooring/domain';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import { ownFiles } from '../output/manifest.ts';
import { isJobName, jobNameRule } from './job-name.ts';

/** What a request asks for, in whichever spelling (azureml-contract 6.1). */
export interface JobRequest {
  name?: string;
  displayName?: string;
  experimentName?: string;
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  input: JobInput;
  /** Where the output shall go: `azureml://datastores/<container>/paths/<folder>`. */
  outputUri?: string;
  /** What the job overrides of its deployment's settings. */
  overrides: JobOverrides;
}

export type JobOverrides = Partial<Omit<BatchJobSettings, 'retrySettings'>> & {
  retrySettings?: Partial<BatchJobSettings['retrySettings']>;
};

type Body = ReadonlyMap<string, unknown>;

const bodyBytesMax = 1024 * 1024;
const uriCharactersMax = 4096;
/** Of names, tags and other texts: a job's document must stay a small one. */
const textCharactersMax = 1024;
const tagsMax = 64;

/**
 * Reads a request's body. Names count without regard to case, because REST's documents and the SDK differ in it; what is
 * unknown is passed over, as Azure does. Every problem is told at once.
 */
export function readJobRequest(text: string): JobRequest {
  const problems: FieldProblem[] = [];
  const body = parse(text);
  const properties = section(body, 'properties', problems) ?? body;
  const reader = new Reader(problems);
  const input = readInput(properties, problems);
  const output = readOutput(properties, problems);
  const name = reader.text(properties, 'name') ?? reader.text(body, 'name');
  if (name !== undefined && !isJobName(name)) {
    problems.push({ path: 'properties.name', problem: 'is not allowed', expected: jobNameRule });
  }
  const further = section(properties, 'properties', problems);
  const texts = defined({
    name,
    displayName: reader.text(properties, 'displayName'),
    experimentName: reader.text(properties, 'experimentName') ?? (further && reader.text(further, 'experimentName')),
    description: reader.text(properties, 'description'),
    outputUri: output.uri,
  });
  const tags = textMap(properties, 'tags', problems);
  const overrides = readOverrides(properties, output.fileName, reader);
  if (problems.length > 0 || input === undefined) throw PlatformError.invalid('the job', problems);
  return { ...texts, tags, properties: {}, input, overrides };
}

function readInput(properties: Body, problems: FieldProblem[]): JobInput | undefined {
  const given = section(properties, 'inputData', problems, false);
  // The oldest form names a dataset instead.
  const entries = [...(given ?? [])].filter(([, value]) => value !== null);
  const [first, ...others] = entries;
  if (first === undefined) {
    problems.push({
      path: 'properties.inputData',
      problem: 'is missing',
      expected: 'exactly one input, a file or a folder',
    });
    return undefined;
  }
  if (others.length > 0) {
    problems.push({ path: 'properties.inputData', problem: `holds ${entries.length} inputs`, expected: 'exactly one' });
  }
  const [name, value] = first;
  const path = `properties.inputData.${shown(name)}`;
  if (!isText(name)) {
    const expected = `a name of at most ${textCharactersMax} characters`;
    problems.push({ path, problem: 'is not allowed', expected });
  }
  const fields = lowered(value);
  const type = plainType(fields?.get('jobinputtype') ?? fields?.get('type'));
  const uri = fields?.get('uri') ?? fields?.get('path');
  const known = type === 'urifile' ? 'uri_file' : type === 'urifolder' ? 'uri_folder' : undefined;
  if (known === undefined) {
    const expected = 'UriFolder or UriFile; a deployment of a model takes no other';
    problems.push({ path: `${path}.jobInputType`, problem: 'is not allowed', expected });
  }
  if (typeof uri !== 'string' || uri === '' || uri.length > uriCharactersMax) {
    const expected = 'azureml://datastores/<name>/paths/<path>, or azureml:<data>:<version>';
    problems.push({ path: `${path}.uri`, problem: uri === undefined ? 'is missing' : 'is not allowed', expected });
  }
  return known === undefined || typeof uri !== 'string' ? undefined : { name, type: known, uri };
}

/** The SDK folds the file's name into the output's address; a file's address is folder and name. */
function readOutput(properties: Body, problems: FieldProblem[]): { uri?: string; fileName?: string } {
  const given =
    section(properties, 'outputData', problems, false) ?? section(properties, 'outputDataset', problems, false);
  const entries = [...(given ?? [])].filter(([, value]) => value !== null);
  if (entries.length > 1) {
    problems.push({
      path: 'properties.outputData',
      problem: `holds ${entries.length} outputs`,
      expected: 'at most one',
    });
  }
  const [name = '', value] = entries[0] ?? [];
  const fields = lowered(value);
  const uri = fields?.get('uri') ?? fields?.get('path');
  if (uri === undefined) return {};
  if (typeof uri !== 'string' || uri.length > uriCharactersMax) {
    const expected = 'azureml://datastores/<name>/paths/<path>';
    problems.push({ path: `properties.outputData.${shown(name)}.uri`, problem: 'is not allowed', expected });
    return {};
  }
  const slash = uri.lastIndexOf('/');
  if (plainType(fields?.get('joboutputtype')) !== 'urifile' || slash < 0) return { uri };
  return { uri: uri.slice(0, slash), fileName: uri.slice(slash + 1) };
}

function readOverrides(properties: Body, fileName: string | undefined, reader: Reader): JobOverrides {
  const compute = section(properties, 'compute', reader.problems, false);
  const resources = section(properties, 'resources', reader.problems, false);
  const retry = section(properties, 'retrySettings', reader.problems, false);
  const retrySettings = defined({
    maxRetries: retry && reader.whole(retry, 'maxRetries', 0, 100),
    timeoutS: retry && reader.seconds(retry, 'timeout', 1, 86_400),
  });
  return defined({
    miniBatchSize: reader.whole(properties, 'miniBatchSize', 1, 100_000),
    instanceCount:
      (compute && reader.whole(compute, 'instanceCount', 1, 64)) ??
      (resources && reader.whole(resources, 'instanceCount', 1, 64)),
    maxConcurrencyPerInstance: reader.whole(properties, 'maxConcurrencyPerInstance', 1, 64),
    errorThreshold: reader.whole(properties, 'errorThreshold', -1, Number.MAX_SAFE_INTEGER),
    loggingLevel: reader.oneOf(properties, 'loggingLevel', { debug: 'debug', info: 'info', warning: 'warning' }),
    outputAction: reader.oneOf(properties, 'outputAction', {
      appendrow: 'append_row',
      summaryonly: 'summary_only',
    }),
    outputFileName: reader.fileName(properties, 'outputFileName') ?? reader.checkedFileName(fileName, 'outputData'),
    retrySettings: Object.keys(retrySettings).length === 0 ? undefined : retrySettings,
  }) as JobOverrides;
}

/** Reads single fields and notes what is wrong with them. */
class Reader {
  readonly problems: FieldProblem[];

  constructor(problems: FieldProblem[]) {
    this.problems = problems;
  }

  text(from: Body, name: string): string | undefined {
    const value = from.get(name.toLowerCase());
    if (value === undefined || value === null) return undefined;
    if (isText(value)) return value;
    return this.#wrong(name, `text of at most ${textCharactersMax} characters`);
  }

  whole(from: Body, name: string, least: number, most: number): number | undefined {
    const value = from.get(name.toLowerCase());
    if (value === undefined || value === null) return undefined;
    const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= least && number <= most) return number;
    return this.#wrong(name, `a whole number from ${least} to ${most}`);
  }

  /** Seconds as a number, or as an ISO 8601 duration (`PT30S`, `PT5M`). */
  seconds(from: Body, name: string, least: number, most: number): number | undefined {
    const value = from.get(name.toLowerCase());
    const match = typeof value === 'string' ? /^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?$/i.exec(value) : null;
    if (match === null) return this.whole(from, name, least, most);
    const [hours, minutes, seconds] = match.slice(1).map((part) => Number(part ?? 0)) as [number, number, number];
    const all = hours * 3600 + minutes * 60 + seconds;
    return all >= least && all <= most ? all : this.#wrong(name, `${least} to ${most} seconds`);
  }

  oneOf(from: Body, name: string, choices: Readonly<Record<string, string>>): string | undefined {
    const value = from.get(name.toLowerCase());
    if (value === undefined || value === null) return undefined;
    const found = typeof value === 'string' ? choices[plainType(value) ?? ''] : undefined;
    return found ?? this.#wrong(name, `one of: ${Object.values(choices).join(', ')}`);
  }

  fileName(from: Body, name: string): string | undefined {
    return this.checkedFileName(this.text(from, name), name);
  }

  checkedFileName(value: string | undefined, name: string): string | undefined {
    if (value === undefined || isFileName(value)) return value;
    return this.#wrong(name, `the name of a file, without folders, and none of: ${[...ownFiles].join(', ')}`);
  }

  #wrong(name: string, expected: string): undefined {
    this.problems.push({ path: `properties.${name}`, problem: 'is not allowed', expected });
    return undefined;
  }
}

/** A file beside those that every output has. */
export function isFileName(name: string): boolean {
  return /^[^/\\\p{Cc}]{1,200}$/u.test(name) && name !== '.' && name !== '..' && !ownFiles.has(name.toLowerCase());
}

function parse(text: string): Body {
  const unreadable = (problem: string): PlatformError =>
    PlatformError.invalid('the job', [{ path: '', problem, expected: 'a JSON object with properties.inputData' }]);
  if (text.length > bodyBytesMax) throw unreadable(`is larger than ${bodyBytesMax} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unreadable('is not JSON');
  }
  const body = lowered(value);
  if (body === undefined) throw unreadable('is not a JSON object');
  return body;
}

/** The fields of an object by their names in lower case; the last of two that differ in case alone counts. */
function lowered(value: unknown): Map<string, unknown> | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
}

/** `keys`: the names in it are fields of ours; else they are the user's and stay as they are. */
function section(from: Body, name: string, problems: FieldProblem[], keys = true): Body | undefined {
  const value = from.get(name.toLowerCase());
  if (value === undefined || value === null) return undefined;
  const isUsers = name === 'inputData' || name === 'outputData';
  const found = keys || !isUsers ? lowered(value) : lowered(value) && new Map(Object.entries(value));
  if (found === undefined) problems.push({ path: `properties.${name}`, problem: 'is not an object' });
  return found;
}

function textMap(from: Body, name: string, problems: FieldProblem[]): Record<string, string> {
  const value = from.get(name);
  if (value === undefined || value === null) return {};
  const entries = typeof value === 'object' && !Array.isArray(value) ? Object.entries(value) : undefined;
  if (entries !== undefined && entries.length <= tagsMax && entries.every((entry) => entry.every(isText))) {
    return Object.fromEntries(entries) as Record<string, string>;
  }
  const expected = `at most ${tagsMax} texts by name, each of at most ${textCharactersMax} characters`;
  problems.push({ path: `properties.${name}`, problem: 'is not allowed', expected });
  return {};
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value.length <= textCharactersMax;
}

/** `UriFolder`, `uri_folder` and `URI-FOLDER` are one. */
function plainType(value: unknown): string | undefined {
  return typeof value === 'string' ? value.toLowerCase().replace(/[_-]/g, '') : undefined;
}

function shown(text: string): string {
  return text.replace(/\p{Cc}/gu, '?').slice(0, 80);
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
