/** Packages of conda that PyPI has under another name. */
const renamed: Readonly<Record<string, string>> = {
  pytorch: 'torch',
  'pytorch-cpu': 'torch',
  'pytorch-gpu': 'torch',
  'matplotlib-base': 'matplotlib',
  'msgpack-python': 'msgpack',
  pytables: 'tables',
  opencv: 'opencv-python-headless',
  'py-opencv': 'opencv-python-headless',
  'py-xgboost': 'xgboost',
  'tensorflow-gpu': 'tensorflow',
  'python-graphviz': 'graphviz',
  ruamel_yaml: 'ruamel.yaml',
};

/** Packages of conda that are no Python packages: a wheel brings them along, or the machine has them. */
const native = new Set([
  '_libgcc_mutex',
  '_openmp_mutex',
  'blas',
  'bzip2',
  'ca-certificates',
  'cmake',
  'cpuonly',
  'cuda',
  'cuda-toolkit',
  'cudatoolkit',
  'cudnn',
  'ffmpeg',
  'gcc',
  'gcc_linux-64',
  'git',
  'gxx_linux-64',
  'intel-openmp',
  'ld_impl_linux-64',
  'libblas',
  'libffi',
  'libgcc',
  'libgcc-ng',
  'libgomp',
  'liblapack',
  'libopenblas',
  'libstdcxx-ng',
  'make',
  'mkl',
  'ncurses',
  'nodejs',
  'nomkl',
  'openblas',
  'openssl',
  'pytorch-cuda',
  'pytorch-mutex',
  'python_abi',
  'readline',
  'sqlite',
  'tk',
  'xz',
  'zlib',
]);

/** uv takes the place of the first; the others come where a package needs them. */
const buildTools = new Set(['pip', 'setuptools', 'wheel', 'conda', 'mamba', 'uv']);

export type CondaPackage =
  | { kind: 'python'; version: string | undefined }
  | { kind: 'pip'; name: string; requirement: string; note?: string }
  | { kind: 'native' | 'build-tool'; name: string };

const matchSpec = /^(?:[\w./-]+::)?(?<name>[A-Za-z0-9_][\w.-]*)\s*(?<version>[^\s[\]]*)?(?:\s+[^\s[\]]+)?$/;

/** One line of a conda file's `dependencies` as what it means for pip; undefined when it is no such line. */
export function condaPackage(line: string): CondaPackage | undefined {
  const match = matchSpec.exec(line.trim().replaceAll(/\s*([=<>!~,|])\s*/g, '$1'));
  const name = match?.groups?.['name']?.toLowerCase();
  if (name === undefined) return undefined;
  const { version, note } = pipVersion(match?.groups?.['version'] ?? '');
  if (version === undefined) return undefined;
  if (name === 'python') return { kind: 'python', version: /(\d+\.\d+)/.exec(version)?.[1] };
  if (native.has(name)) return { kind: 'native', name };
  if (buildTools.has(name)) return { kind: 'build-tool', name };
  const pipName = renamed[name] ?? name;
  return { kind: 'pip', name, requirement: `${pipName}${version}`, ...(note === undefined ? {} : { note }) };
}

/** Conda's `=1.2` is any 1.2.x, `==1.2` exactly that, a second `=` starts a build of conda's own. */
function pipVersion(spec: string): { version: string | undefined; note?: string } {
  if (spec.includes('|')) return { version: '', note: `its versions '${spec}' cannot be said to pip: any is taken` };
  const bare = /^\d/.test(spec) ? `=${spec}` : spec; // `numpy 1.26.4 py311_0`
  const parts = bare.split(',').map((part) => {
    const match = /^(===?|=|!=|~=|<=|>=|<|>)([\w.*+!]+)(?:=[\w.*-]+)?$/.exec(part);
    if (match === null) return undefined;
    const [, operator = '', version = ''] = match;
    if (operator !== '=') return `${operator}${version}`;
    return `==${version.replace(/\.?\*$/, '')}.*`;
  });
  if (bare === '' || bare === '*') return { version: '' };
  return { version: parts.every((part) => part !== undefined) ? parts.join(',') : undefined };
}
