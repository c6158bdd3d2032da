import {
  batchRanges,
  outputFileNameRule,
  type BatchJobSettings,
  type DataType,
  type GivenInput,
  type JobInput,
} from '@mooring/domain';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import { isJobName, jobNameRule } from './job-name.ts';

/** What a request asks for, in whichever spelling (azureml-contract 6.1). */
export interface JobRequest {
  name?: string;
  displayName?: string;
  experimentName?: string;
  description?: string;
  tags: Readonly<Record<string, string>>;
  properties: Readonly<Record<string, string>>;
  /** Of a deployment of a model exactly one, of data: see `modelInput`. */
  inputs: readonly RequestInput[];
  /** Where outputs shall go: `azureml://datastores/<container>/paths/<folder>`. */
  outputs: readonly { name: string; uri: string }[];
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
  const inputs = readInputs(properties, problems);
  const { outputs, fileName } = readOutputs(properties, problems);
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
  });
  const tags = textMap(properties, 'tags', problems);
  const overrides = readOverrides(properties, fileName, reader);
  if (problems.length > 0) throw PlatformError.invalid('the job', problems);
  return { ...texts, tags, properties: {}, inputs, outputs, overrides };
}

export type RequestInput = { name: string } & GivenInput;

/** Of a pipeline; a deployment of a model takes one of each. */
const portsMax = 200;

function readInputs(properties: Body, problems: FieldProblem[]): RequestInput[] {
  const entries = [...(section(properties, 'inputData', problems, false) ?? [])].filter(([, value]) => value !== null);
  if (entries.length > portsMax) {
    const problem = `holds ${entries.length} inputs`;
    problems.push({ path: 'properties.inputData', problem, expected: `at most ${portsMax}` });
    return [];
  }
  return entries.map(([name, value]) => readInput(name, value, problems));
}

const literalTypes = new Set(['literal', 'string', 'number', 'float', 'integer', 'boolean']);
const dataTypes: Readonly<Record<string, DataType>> = {
  urifolder: 'uri_folder',
  urifile: 'uri_file',
  custommodel: 'custom_model',
  mlflowmodel: 'mlflow_model',
  tritonmodel: 'triton_model',
};

function readInput(name: string, value: unknown, problems: FieldProblem[]): RequestInput {
  const path = `properties.inputData.${shown(name)}`;
  if (!isText(name)) {
    const expected = `a name of at most ${textCharactersMax} characters`;
    problems.push({ path, problem: 'is not allowed', expected });
  }
  const fields = lowered(value);
  const type = plainType(fields?.get('jobinputtype') ?? fields?.get('type')) ?? '';
  // A file of inputs for `invoke` says `default` for a value.
  if (literalTypes.has(type)) return { name, kind: 'literal', value: fields?.get('value') ?? fields?.get('default') };
  const uri = fields?.get('uri') ?? fields?.get('path');
  const known = dataTypes[type];
  if (known === undefined) {
    const expected = 'UriFolder or UriFile; for a pipeline also Literal, CustomModel, MLFlowModel and TritonModel';
    problems.push({ path: `${path}.jobInputType`, problem: 'is not allowed', expected });
  }
  if (typeof uri !== 'string' || uri === '' || uri.length > uriCharactersMax) {
    const expected = 'azureml://datastores/<name>/paths/<path>, or azureml:<data>:<version>';
    problems.push({ path: `${path}.uri`, problem: uri === undefined ? 'is missing' : 'is not allowed', expected });
  }
  return { name, kind: 'data', type: known ?? 'uri_folder', uri: String(uri) };
}

/** The one input of a deployment of a model. */
export function modelInput({ inputs }: Pick<JobRequest, 'inputs'>): JobInput {
  const [first, ...others] = inputs;
  const problems: FieldProblem[] = [];
  const path = 'properties.inputData';
  if (first === undefined) {
    problems.push({ path, problem: 'is missing', expected: 'exactly one input, a file or a folder' });
  }
  if (others.length > 0) problems.push({ path, problem: `holds ${inputs.length} inputs`, expected: 'exactly one' });
  if (first !== undefined && (first.kind === 'literal' || !first.type.startsWith('uri_'))) {
    const expected = 'UriFolder or UriFile; a deployment of a model takes no other';
    problems.push({ path: `${path}.${shown(first.name)}.jobInputType`, problem: 'is not allowed', expected });
  }
  if (problems.length > 0 || first?.kind !== 'data') throw PlatformError.invalid('the job', problems);
  return { name: first.name, type: first.type as JobInput['type'], uri: first.uri };
}

/** The place that is asked for the output of a deployment of a model. */
export function modelOutput({ outputs }: Pick<JobRequest, 'outputs'>): string | undefined {
  if (outputs.length <= 1) return outputs[0]?.uri;
  const problem = `holds ${outputs.length} outputs`;
  throw PlatformError.invalid('the job', [{ path: 'properties.outputData', problem, expected: 'at most one' }]);
}

/** The SDK folds the file's name into the output's address; a file's address is folder and name. */
function readOutputs(
  properties: Body,
  problems: FieldProblem[],
): { outputs: JobRequest['outputs']; fileName?: string | undefined } {
  const given =
    section(properties, 'outputData', problems, false) ?? section(properties, 'outputDataset', problems, false);
  const entries = [...(given ?? [])].filter(([, value]) => value !== null);
  if (entries.length > portsMax) {
    const problem = `holds ${entries.length} outputs`;
    problems.push({ path: 'properties.outputData', problem, expected: `at most ${portsMax}` });
    return { outputs: [] };
  }
  const read = entries.flatMap(([name, value]) => readOutput(name, value, problems));
  return { outputs: read.map(({ name, uri }) => ({ name, uri })), fileName: read[0]?.fileName };
}

function readOutput(
  name: string,
  value: unknown,
  problems: FieldProblem[],
): { name: string; uri: string; fileName?: string }[] {
  const fields = lowered(value);
  const uri = fields?.get('uri') ?? fields?.get('path');
  if (uri === undefined) return [];
  if (typeof uri !== 'string' || uri.length > uriCharactersMax || !isText(name)) {
    const expected = 'azureml://datastores/<name>/paths/<path>';
    problems.push({ path: `properties.outputData.${shown(name)}.uri`, problem: 'is not allowed', expected });
    return [];
  }
  const slash = uri.lastIndexOf('/');
  if (plainType(fields?.get('joboutputtype') ?? fields?.get('type')) !== 'urifile' || slash < 0) return [{ name, uri }];
  return [{ name, uri: uri.slice(0, slash), fileName: uri.slice(slash + 1) }];
}

function readOverrides(properties: Body, fileName: string | undefined, reader: Reader): JobOverrides {
  const compute = section(properties, 'compute', reader.problems, false);
  const resources = section(properties, 'resources', reader.problems, false);
  const retry = section(properties, 'retrySettings', reader.problems, false);
  const retrySettings = defined({
    maxRetries: retry && reader.whole(retry, 'maxRetries', ...batchRanges.maxRetries),
    timeoutS: retry && reader.seconds(retry, 'timeout', ...batchRanges.timeoutS),
  });
  return defined({
    miniBatchSize: reader.whole(properties, 'miniBatchSize', ...batchRanges.miniBatchSize),
    instanceCount:
      (compute && reader.whole(compute, 'instanceCount', ...batchRanges.instanceCount)) ??
      (resources && reader.whole(resources, 'instanceCount', ...batchRanges.instanceCount)),
    maxConcurrencyPerInstance: reader.whole(
      properties,
      'maxConcurrencyPerInstance',
      ...batchRanges.maxConcurrencyPerInstance,
    ),
    errorThreshold: reader.whole(properties, 'errorThreshold', ...batchRanges.errorThreshold),
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
    if (value === undefined || outputFileNameRule.test(value)) return value;
    return this.#wrong(name, outputFileNameRule.expected);
  }

  #wrong(name: string, expected: string): undefined {
    this.problems.push({ path: `properties.${name}`, problem: 'is not allowed', expected });
    return undefined;
  }
}

function parse(text: string): Body {
  const unreadable = (problem: string): PlatformError =>
    PlatformError.invalid('the job', [{ path: 'body', problem, expected: 'a JSON object with properties.inputData' }]);
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
