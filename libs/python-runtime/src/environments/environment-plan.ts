import { createHash } from 'node:crypto';
import { PlatformError, type FieldProblem } from '@mooring/errors';
import { parse } from 'yaml';
import { condaPackage } from './conda-packages.ts';
import { pipLine, withoutCredentials, type PackageSources } from './requirements.ts';

/** What an environment asks for, before it is known which interpreter it gets. */
export interface EnvironmentPlan {
  /** `3.11`, or undefined for any. */
  pythonVersion: string | undefined;
  /** Normal form, sorted, each once. */
  requirements: readonly string[];
  sources: PackageSources;
  /** What local compute does otherwise than the spec says. */
  warnings: readonly string[];
}

/** Changes when the same plan would be built in another way. */
const marker = 'mooring-environment-1';
const linesMax = 500;
const lineLengthMax = 2_000;

/** Collects what a conda file or a requirements list asks for; problems are told all at once by `plan`. */
class PlanMaker {
  readonly #requirements = new Set<string>();
  readonly #sources: PackageSources = {
    extraIndexes: [],
    findLinks: [],
    prerelease: false,
    noBinary: [],
    onlyBinary: [],
  };
  readonly #warnings: string[] = [];
  readonly #problems: FieldProblem[] = [];
  readonly #what: string;
  #python: string | undefined;
  #lines = 0;

  constructor(what: string) {
    this.#what = what;
  }

  warn(text: string): void {
    this.#warnings.push(text);
  }

  wrong(path: string, problem: string, expected: string): void {
    this.#problems.push({ path, problem, expected });
  }

  conda(path: string, line: string): void {
    if (!this.#fits(path, line)) return;
    const found = condaPackage(line);
    if (found === undefined) this.wrong(path, `'${line}' is no conda package`, 'such as numpy=1.26 or numpy>=1.26,<2');
    else if (found.kind === 'python') this.#python = found.version;
    else if (found.kind === 'native')
      this.warn(`the conda package '${found.name}' is left out: local compute has Python packages only`);
    else if (found.kind === 'pip') this.#condaByPip(path, found);
  }

  #condaByPip(path: string, found: { name: string; requirement: string; note?: string }): void {
    const note = found.note === undefined ? '' : `; ${found.note}`;
    this.pip(path, found.requirement);
    this.warn(
      `the conda package '${found.name}' is taken from the Python package index as '${found.requirement}'${note}`,
    );
  }

  pip(path: string, line: string): void {
    if (!this.#fits(path, line)) return;
    const found = pipLine(line);
    if (found.kind === 'wrong') this.wrong(path, found.problem, found.expected);
    else if (found.kind === 'requirement') this.#requirements.add(found.requirement);
    else if (found.kind === 'option') found.apply(this.#sources);
    else if (found.kind === 'ignored') this.warn(`pip's '${found.text}' has no effect here`);
    else if (found.kind === 'replaced') {
      this.warn(`'${found.name}' is left out: the platform itself has what scoring scripts need of it`);
      for (const name of found.needs) this.#requirements.add(name);
    }
  }

  plan(): EnvironmentPlan {
    if (this.#problems.length > 0) throw PlatformError.invalid(this.#what, this.#problems, 'ENVIRONMENT_INVALID');
    return {
      pythonVersion: this.#python,
      requirements: [...this.#requirements].toSorted(),
      sources: this.#sources,
      warnings: this.#warnings,
    };
  }

  #fits(path: string, line: string): boolean {
    this.#lines += 1;
    if (this.#lines === linesMax + 1) this.wrong(path, 'there are too many packages', `at most ${linesMax}`);
    if (line.length > lineLengthMax) this.wrong(path, 'the line is too long', `at most ${lineLengthMax} characters`);
    return this.#lines <= linesMax && line.length <= lineLengthMax;
  }
}

/** No packages, any interpreter. */
export function barePlan(warnings: readonly string[] = []): EnvironmentPlan {
  return { ...new PlanMaker('').plan(), warnings };
}

/** The text of a conda YAML. Throws `invalid_argument` with every problem. */
export function planOfCondaFile(text: string, warnings: readonly string[] = []): EnvironmentPlan {
  const maker = new PlanMaker('conda_file');
  for (const warning of warnings) maker.warn(warning);
  const dependencies = dependenciesOf(text, maker);
  for (const [index, entry] of dependencies.entries()) {
    const path = `conda_file.dependencies[${index}]`;
    const pip = entry !== null && typeof entry === 'object' && 'pip' in entry ? entry.pip : undefined;
    if (typeof entry === 'string') maker.conda(path, entry);
    else if (Array.isArray(pip)) addPip(maker, `${path}.pip`, pip);
    else maker.wrong(path, 'is neither a package nor a list for pip', 'such as numpy=1.26, or pip: [numpy==2.4.6]');
  }
  return maker.plan();
}

/** The text of a requirements.txt. */
export function planOfRequirements(text: string, warnings: readonly string[] = []): EnvironmentPlan {
  const maker = new PlanMaker('requirements.txt');
  for (const warning of warnings) maker.warn(warning);
  const lines = text.replaceAll(/\\\r?\n/g, ' ').split(/\r?\n/);
  for (const [index, line] of lines.entries()) maker.pip(`line ${index + 1}`, line);
  return maker.plan();
}

/** Names the environment that `plan` becomes with the interpreter `python` (its exact version and platform). */
export function environmentDigest(plan: EnvironmentPlan, python: string): string {
  return createHash('sha256')
    .update(JSON.stringify([marker, python, tellPlan(plan)]))
    .digest('hex');
}

/** The plan without anyone's password, as the record in the environment's folder has it. */
export function tellPlan(plan: EnvironmentPlan): object {
  return JSON.parse(withoutCredentials(JSON.stringify({ requirements: plan.requirements, sources: plan.sources })));
}

function dependenciesOf(text: string, maker: PlanMaker): unknown[] {
  const expected = "a mapping with 'dependencies', a list of packages";
  try {
    const file: unknown = parse(text, { maxAliasCount: 100, logLevel: 'silent' });
    const dependencies = file !== null && typeof file === 'object' && 'dependencies' in file ? file.dependencies : [];
    if (file !== null && (typeof file !== 'object' || Array.isArray(file)))
      maker.wrong('conda_file', 'is no mapping', expected);
    if (Array.isArray(dependencies)) return dependencies;
    if (dependencies !== null) maker.wrong('conda_file.dependencies', 'is no list', expected);
  } catch (error) {
    const [first] = (error instanceof Error ? error.message : String(error)).split('\n');
    maker.wrong('conda_file', `is no YAML: ${first}`, expected);
  }
  return [];
}

function addPip(maker: PlanMaker, path: string, lines: unknown[]): void {
  for (const [index, line] of lines.entries()) {
    if (typeof line === 'string') maker.pip(`${path}[${index}]`, line);
    else maker.wrong(`${path}[${index}]`, 'is no text', 'a requirement such as numpy==2.4.6');
  }
}
