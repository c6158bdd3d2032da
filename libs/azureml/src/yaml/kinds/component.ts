import { dirname } from 'node:path';
import { laterProblem, linkProblems, type Component, type SpecProblem, type StepComponent } from '@mooring/domain';
import { PlatformError } from '@mooring/errors';
import { readComponent } from '../../component/read-component.ts';
import { childPath } from '../../reading/child-path.ts';
import { isObject, scalarText, wrong, type Reading } from '../../reading/fields.ts';
import { present } from '../../reading/present.ts';
import { laterReference, readReference } from '../../reading/references.ts';
import type { ComponentCode, ComponentDraft, EnvironmentDraft, Source } from '../drafts.ts';
import { localFolder, localPath, scoringScript, type LocalContext } from '../local-files.ts';
import { readTextFile } from '../read-text.ts';
import { parseYaml } from '../read-yaml.ts';
import { assetName, assetVersion } from './common.ts';
import { asset, sourceOf } from './deployment-parts.ts';
import { draftEnvironment, readEnvironmentFields } from './environment.ts';

/** What a component's file comes to: what is to be stored, and what it means where all of it is here. */
interface Read {
  draft: ComponentDraft;
  component: Component;
}

/** azureml-contract 1.7, local files included. Undefined when a problem was noted. */
export async function readComponentFile(
  value: unknown,
  reading: Reading,
  context: LocalContext,
): Promise<ComponentDraft | undefined> {
  if (isObject(value) && (value['name'] ?? undefined) === undefined)
    reading.problems.push({ path: 'name', problem: 'is missing', expected: 'a value: it is required' });
  return (await readParts(value, '', reading, context, false))?.draft;
}

/**
 * A component that a deployment or a step is made of: a reference to a stored one, the path of its file, or the component itself in place.
 * One that is here is anonymous, whatever it is called.
 */
export async function componentSource(
  value: unknown,
  path: string,
  reading: Reading,
  context: LocalContext,
): Promise<{ source: Source<ComponentDraft>; component?: Component } | undefined> {
  if (isObject(value)) return inline(await readParts(value, path, reading, context, true));
  if (typeof value !== 'string' || value.trim() === '') {
    return wrong(
      reading,
      path,
      value,
      'azureml:<name>:<version>, the path of a component file, or the component as a mapping',
    );
  }
  if (/^azureml:|^\/subscriptions\//i.test(value) || laterReference(value) !== undefined) {
    const reference = readReference(value, 'components', path, reading);
    return reference && { source: { reference } };
  }
  return readFile(value.replace(/^file:/, ''), path, reading, context);
}

function inline(read: Read | undefined): { source: Source<ComponentDraft>; component: Component } | undefined {
  return read && { source: { inline: read.draft }, component: read.component };
}

async function readFile(
  file: string,
  path: string,
  reading: Reading,
  context: LocalContext,
): Promise<{ source: Source<ComponentDraft>; component: Component } | undefined> {
  const found = await localPath(file, path, context);
  if (found === undefined) return undefined;
  if (found.folder) return wrong(reading, path, file, 'the path of a component file');
  const absolute = found.files.path;
  // What is wrong in another file is told with the way there.
  const problems: SpecProblem[] = [];
  try {
    const [document, another] = parseYaml(await readTextFile(absolute), absolute);
    if (document === undefined || another !== undefined) {
      return wrong(reading, path, file, 'a file with one YAML document');
    }
    const below: Reading = { ...reading, problems, sources: document.sources };
    const read = await readParts(document.value, '', below, { ...context, baseDir: dirname(absolute), problems }, true);
    reading.problems.push(...problems.map((one) => ({ ...one, path: childPath(path, one.path) })));
    return inline(read);
  } catch (thrown) {
    const error = PlatformError.from(thrown);
    if (error.code === 'internal') throw thrown;
    const why = error.problems.map(({ path: at, problem }) => `${at}: ${problem}`).join('; ') || error.message;
    reading.problems.push({ path, problem: `${file} cannot be read: ${why}` });
    return undefined;
  }
}

const environmentField = asset('environments', readEnvironmentFields);

async function readParts(
  value: unknown,
  path: string,
  reading: Reading,
  context: LocalContext,
  isAnonymous: boolean,
): Promise<Read | undefined> {
  if (!isObject(value)) return wrong(reading, path, value, 'a component as a mapping');
  const before = reading.problems.length;
  const { $schema: _schema, version, ...spec } = value;
  const isPipeline = spec['type'] === 'pipeline';
  if (isPipeline && path !== '' && path.startsWith('jobs.')) {
    reading.problems.push(laterProblem(path, 'pipelines within pipelines'));
    return undefined;
  }
  const name = scalarOf(assetName, spec['name'], childPath(path, 'name'), reading);
  const versionText = scalarOf(assetVersion, version, childPath(path, 'version'), reading);
  const parts = isPipeline
    ? await pipelineParts(spec, path, reading, context)
    : await stepParts(spec, path, reading, context);
  const component = readComponent(parts.spec, path, reading);
  if (component?.type === 'pipeline' && parts.components !== undefined && reading.problems.length === before) {
    const problems = linkProblems(component, parts.components);
    reading.problems.push(...problems.map((one) => ({ ...one, path: childPath(path, one.path) })));
  }
  if (component === undefined || reading.problems.length > before) return undefined;
  const { description, tags } = spec;
  const draft = {
    kind: 'component' as const,
    ...(isAnonymous ? {} : present({ name, version: versionText })),
    ...present({ code: parts.code, environment: parts.environment, steps: parts.steps }),
    body: {
      properties: present({
        description: typeof description === 'string' ? description : undefined,
        componentSpec: parts.spec,
        isAnonymous,
        tags: isObject(tags) ? Object.fromEntries(Object.entries(tags).map(([key, tag]) => [key, String(tag)])) : {},
        properties: {},
      }),
    },
  };
  return { draft: draft as ComponentDraft, component };
}

function scalarOf(field: typeof assetName, value: unknown, path: string, reading: Reading): string | undefined {
  if (value === undefined || value === null) return undefined;
  return field.read(value, path, reading) ?? scalarText.read('', path, reading);
}

interface Parts {
  /** Without what is stored apart. */
  spec: Record<string, unknown>;
  code?: ComponentCode;
  environment?: Source<EnvironmentDraft>;
  steps?: Record<string, Source<ComponentDraft>>;
  /** Of all steps, where all are here. */
  components?: Map<string, StepComponent>;
}

async function stepParts(
  whole: Record<string, unknown>,
  path: string,
  reading: Reading,
  context: LocalContext,
): Promise<Parts> {
  // A parallel component has them in its task.
  const task = whole['type'] === 'parallel' && isObject(whole['task']) ? whole['task'] : undefined;
  const { code, environment, ...rest } = task ?? whole;
  const at = task === undefined ? path : childPath(path, 'task');
  const given =
    environment === undefined || environment === null
      ? undefined
      : environmentField.read(environment, childPath(at, 'environment'), reading);
  const source = await sourceOf(given, (values) => draftEnvironment(values, childPath(at, 'environment'), context));
  const script = typeof rest['entry_script'] === 'string' ? rest['entry_script'] : undefined;
  const read = await codeOf(code, script, at, reading, context);
  const spec = task === undefined ? rest : { ...whole, task: rest };
  return { spec, ...present({ code: read, environment: source }) } as Parts;
}

async function codeOf(
  code: unknown,
  script: string | undefined,
  at: string,
  reading: Reading,
  context: LocalContext,
): Promise<ComponentCode | undefined> {
  if (code === undefined || code === null) return undefined;
  const path = childPath(at, 'code');
  if (typeof code !== 'string' || code.trim() === '') return wrong(reading, path, code, 'a folder');
  const capability = laterReference(code);
  if (capability !== undefined) {
    reading.problems.push(laterProblem(path, capability));
    return undefined;
  }
  if (code.startsWith('azureml:') || /^\/subscriptions\//i.test(code)) {
    const reference = readReference(code, 'codes', path, reading);
    return reference && { reference };
  }
  const files = await localFolder(code, path, context);
  if (files !== undefined && script !== undefined)
    await scoringScript(files.path, script, childPath(at, 'entry_script'), context);
  return files && { files };
}

async function pipelineParts(
  whole: Record<string, unknown>,
  path: string,
  reading: Reading,
  context: LocalContext,
): Promise<Parts> {
  if (!isObject(whole['jobs'])) return { spec: whole };
  const jobs: [string, unknown][] = [];
  const steps: [string, Source<ComponentDraft>][] = [];
  const components = new Map<string, StepComponent>();
  for (const [name, step] of Object.entries(whole['jobs'])) {
    if (!isObject(step)) {
      jobs.push([name, step]);
      continue;
    }
    const { component, ...rest } = step;
    jobs.push([name, rest]);
    const at = childPath(path, `jobs.${name}.component`);
    if (component === undefined || component === null) {
      reading.problems.push({ path: at, problem: 'is missing', expected: 'a value: it is required' });
      continue;
    }
    const read = await componentSource(component, at, reading, context);
    if (read === undefined) continue;
    steps.push([name, read.source]);
    if (read.component?.type === 'pipeline') reading.problems.push(laterProblem(at, 'pipelines within pipelines'));
    else if (read.component !== undefined) components.set(name, read.component);
  }
  const all = components.size === jobs.length;
  return {
    spec: { ...whole, jobs: Object.fromEntries(jobs) },
    steps: Object.fromEntries(steps),
    ...(all ? { components } : {}),
  };
}
