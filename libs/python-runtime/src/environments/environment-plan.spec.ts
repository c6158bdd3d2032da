import { PlatformError } from '@mooring/errors';
import { describe, expect, it } from 'vitest';
import { barePlan, environmentDigest, planOfCondaFile, planOfRequirements, tellPlan } from './environment-plan.ts';

/** Ten bytes more make ten times more of it. */
const bomb = ['a0: &a0 [six]', ...[1, 2, 3, 4, 5, 6, 7].map((n) => `a${n}: &a${n} [${`*a${n - 1},`.repeat(10)}]`)].join(
  '\n',
);

describe('a conda file', () => {
  it('gives its interpreter and its packages for pip, in one normal form and order', () => {
    const plan = planOfCondaFile(
      [
        'name: cars',
        'channels: [conda-forge]',
        'dependencies:',
        '  - python=3.11',
        '  - pip',
        '  - pip:',
        '    - pillow',
        '    - NumPy == 2.4.6  # arrays',
        '    - Scikit_Learn[Tests, alldeps] >=1.5 , <2',
        '    - pillow',
      ].join('\n'),
    );
    expect(plan.pythonVersion).toBe('3.11');
    expect(plan.requirements).toEqual(['numpy==2.4.6', 'pillow', 'scikit-learn[alldeps,tests]<2,>=1.5']);
    expect(plan.warnings).toEqual([]);
  });

  it.each([
    ['numpy', 'numpy'],
    ['numpy=1.26', 'numpy==1.26.*'],
    ['numpy=1.26.*', 'numpy==1.26.*'],
    ['numpy==1.26.4', 'numpy==1.26.4'],
    ['numpy=1.26.4=py311h64a7726_0', 'numpy==1.26.4.*'],
    ['numpy 1.26.4 py311h64a7726_0', 'numpy==1.26.4.*'],
    ['numpy >=1.26, <2', 'numpy<2,>=1.26'],
    ['conda-forge::numpy>=1.26', 'numpy>=1.26'],
    ['pytorch=2.4', 'torch==2.4.*'],
  ])('takes the conda package %s from the package index as %s, and says so', (conda, pip) => {
    const plan = planOfCondaFile(JSON.stringify({ dependencies: [conda] }));
    expect(plan.requirements).toEqual([pip]);
    expect(plan.warnings.join()).toContain('is taken from the Python package index');
  });

  it('leaves out what is no Python package, and says so', () => {
    const plan = planOfCondaFile(
      JSON.stringify({ dependencies: ['cudatoolkit=11.8', 'libgcc-ng', 'pip=24', 'wheel'] }),
    );
    expect(plan.requirements).toEqual([]);
    expect(plan.warnings).toHaveLength(2);
  });

  it('leaves out the packages whose modules the worker has, and keeps what their extras stand for', () => {
    const pip = ['azureml-defaults>=1.0.45', 'azureml_inference_server_http', 'inference-schema[numpy-support]~=1.5'];
    const plan = planOfCondaFile(JSON.stringify({ dependencies: [{ pip }] }));
    expect(plan.requirements).toEqual(['numpy']);
    expect(plan.warnings).toHaveLength(3);
  });

  it.each(['', 'name: x', 'dependencies:', 'dependencies: []'])('may be without packages: %j', (text) => {
    expect(planOfCondaFile(text)).toEqual(barePlan());
  });

  it('is refused with every problem at once, each with its path', () => {
    const file = {
      dependencies: ['python=3.11', 'num py >', { pip: ['six', './own', 7, '-r more.txt', '--index-url ftp://x'] }, 4],
    };
    expect(problemsOf(() => planOfCondaFile(JSON.stringify(file)))).toEqual([
      'conda_file.dependencies[1]',
      'conda_file.dependencies[2].pip[1]',
      'conda_file.dependencies[2].pip[2]',
      'conda_file.dependencies[2].pip[3]',
      'conda_file.dependencies[2].pip[4]',
      'conda_file.dependencies[3]',
    ]);
  });

  it.each(['[', 'a: *b', 'text', '- a', 'dependencies: {pip: six}', bomb])(
    'that is no list of packages is refused: %s',
    (text) => {
      expect(problemsOf(() => planOfCondaFile(text)).length).toBeGreaterThan(0);
    },
  );

  it('has a bounded number of packages of bounded length', () => {
    const many = Array.from({ length: 2_000 }, (_, index) => `p${index}`);
    expect(problemsOf(() => planOfCondaFile(JSON.stringify({ dependencies: many })))).toHaveLength(1);
    const long = `numpy==${'1'.repeat(5_000)}`;
    expect(problemsOf(() => planOfCondaFile(JSON.stringify({ dependencies: [long] })))).toHaveLength(1);
  });
});

describe('a requirements list', () => {
  it('may have comments, continued lines, options, hashes, markers and addresses', () => {
    const plan = planOfRequirements(
      [
        '# what it needs',
        '--index-url https://me:secret@index.example/simple',
        '--extra-index-url=https://other.example/simple',
        '-f https://wheels.example/',
        '--pre',
        '--only-binary numpy,pillow',
        '--trusted-host index.example',
        '',
        'six==1.17.0 \\',
        '    --hash=sha256:aa',
        'tomli ; python_version < "3.11"',
        'own @ https://files.example/own-1.0-py3-none-any.whl',
        'git+https://git.example/tool.git@v1',
      ].join('\n'),
    );
    expect(plan.requirements).toEqual([
      'git+https://git.example/tool.git@v1',
      'own @ https://files.example/own-1.0-py3-none-any.whl',
      'six==1.17.0 --hash=sha256:aa',
      'tomli ; python_version < "3.11"',
    ]);
    expect(plan.sources).toEqual({
      index: 'https://me:secret@index.example/simple',
      extraIndexes: ['https://other.example/simple'],
      findLinks: ['https://wheels.example/'],
      prerelease: true,
      noBinary: [],
      onlyBinary: ['numpy', 'pillow'],
    });
    expect(plan.warnings).toEqual(["pip's '--trusted-host index.example' has no effect here"]);
  });

  it.each([
    '/etc',
    '../x',
    'file:///etc',
    '-e .',
    'x @ file:///etc',
    '--target /',
    'numpy; rm -rf /;',
    'a b',
    '==1',
    '$(x)',
  ])('may hold no path, no foreign option and no nonsense: %s', (line) => {
    expect(
      problemsOf(() => planOfRequirements(line)),
      line,
    ).toHaveLength(1);
  });
});

describe('the digest', () => {
  const digest = (text: string, python = 'linux x64 3.11.7'): string =>
    environmentDigest(planOfRequirements(text), python);

  it('is the same for the same wishes in another order and spelling', () => {
    expect(digest('six\nNumPy==2.4.6')).toBe(digest('numpy == 2.4.6\n# x\nsix'));
  });

  it.each(['six==1.16', 'six\n--index-url https://index.example', 'six\n--pre', ''])(
    'changes with what is wanted: %j',
    (text) => {
      expect(digest(text)).not.toBe(digest('six'));
    },
  );

  it('changes with the interpreter', () => {
    expect(digest('six', 'linux x64 3.12.1')).not.toBe(digest('six'));
  });

  it('and the record have no part in a password', () => {
    const [one, other] = ['https://a:b@index.example/', 'https://c:d@index.example/'].map((url) => `-i ${url}`);
    expect(digest(one ?? '')).toBe(digest(other ?? ''));
    expect(JSON.stringify(tellPlan(planOfRequirements(one ?? '')))).not.toContain('a:b');
  });
});

function problemsOf(run: () => unknown): string[] {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof PlatformError) return thrown.problems.map((problem) => problem.path);
    throw thrown;
  }
  return [];
}
