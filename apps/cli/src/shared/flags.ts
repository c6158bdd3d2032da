import type { RefusedFlag, SwitchFlag, TextFlag, TextRule, WordsFlag } from '../command.ts';
import { isWebAddress, webAddress } from './web-address.ts';

// As @mooring/domain has them; not imported, so that --help stays as quick as it is. A spec holds them together.
/** Names of endpoints and deployments. */
export const endpointRule: TextRule = {
  test: (name) => /^[a-zA-Z](?:[-a-zA-Z0-9]{1,30}[a-zA-Z0-9])$/.test(name),
  expected: '3 to 32 letters, digits and dashes, beginning with a letter and not ending with a dash',
};
/** Names and versions of models and environments. */
export const assetRule: TextRule = {
  test: (name) => /^[a-zA-Z0-9][-a-zA-Z0-9_.]{0,254}$/.test(name),
  expected: 'at most 255 letters, digits, dashes, underscores and dots, beginning with a letter or digit',
};

function ruleOf(what: string): TextRule {
  return what === 'endpoint' || what === 'deployment' ? endpointRule : assetRule;
}

/** Flags that several commands share, spelled as `az ml` spells them. */

export function nameFlag(what: string) {
  return {
    kind: 'text',
    names: ['--name', '-n'],
    value: 'NAME',
    about: `name of the ${what}`,
    required: true,
    rule: ruleOf(what),
  } as const;
}

/** With a file the name is in the file; the flag wins over it. */
export function optionalName(what: string) {
  return {
    kind: 'text',
    names: ['--name', '-n'],
    value: 'NAME',
    about: `name of the ${what}; wins over the file's`,
    rule: ruleOf(what),
  } as const;
}

export const endpointFlag = {
  kind: 'text',
  names: ['--endpoint-name', '-e', '--endpoint'],
  value: 'NAME',
  about: 'name of the endpoint',
  required: true,
  rule: endpointRule,
} as const;

export const optionalEndpoint = {
  kind: 'text',
  names: ['--endpoint-name', '-e', '--endpoint'],
  value: 'NAME',
  about: "name of the endpoint; wins over the file's",
  rule: endpointRule,
} as const;

export const fileFlag = {
  kind: 'text',
  names: ['--file', '-f'],
  value: 'FILE',
  about: 'YAML file of the resource',
} as const satisfies TextFlag;

export const setFlag = {
  kind: 'words',
  names: ['--set'],
  value: 'PATH=VALUE',
  about: 'set a field, such as tags.team=shapes or instance_count=2',
} as const satisfies WordsFlag;

/** Changes of a resource that exists. */
export const changeFlags = {
  set: setFlag,
  add: { kind: 'words', names: ['--add'], value: 'PATH=VALUE', about: 'append to a list, or add a key to a mapping' },
  remove: { kind: 'words', names: ['--remove'], value: 'PATH', about: 'remove a field or an item of a list' },
} as const satisfies Record<string, WordsFlag>;

export const noWaitFlag = {
  kind: 'switch',
  names: ['--no-wait'],
  about: 'return when the change is accepted; it goes on by itself',
} as const satisfies SwitchFlag;

export const yesFlag = { kind: 'switch', names: ['--yes', '-y'], about: 'do not ask' } as const satisfies SwitchFlag;

export const localFlag = {
  kind: 'refused',
  names: ['--local'],
  about: 'refused',
  hidden: true,
  instead: 'Mooring is local already: run `tools/mooring up` and leave --local out',
} as const satisfies RefusedFlag;

export const registryFlag = {
  kind: 'refused',
  names: ['--registry-name', '--registry'],
  about: 'refused',
  hidden: true,
  instead: 'shared registries come with a later version of Mooring',
} as const satisfies RefusedFlag;

export function laterFlag(names: readonly string[], capability: string) {
  return {
    kind: 'refused',
    names,
    about: 'refused',
    hidden: true,
    instead: `${capability} with a later version of Mooring`,
  } as const;
}

export const versionFlag = {
  kind: 'text',
  names: ['--version', '-v'],
  value: 'VERSION',
  about: 'version',
  rule: assetRule,
} as const satisfies TextFlag;

/** Of every command. */
export const globalFlags = {
  output: {
    kind: 'text',
    names: ['--output', '-o'],
    value: 'FORMAT',
    about: 'json, table, tsv or yaml',
    choices: ['json', 'table', 'tsv', 'yaml'],
  },
  query: { kind: 'text', names: ['--query'], value: 'JMESPATH', about: 'part of the result to print' },
  data: {
    kind: 'text',
    names: ['--data'],
    value: 'FOLDER',
    about: 'data folder of the platform (MOORING_DATA, ~/.mooring)',
  },
  url: {
    kind: 'text',
    names: ['--url'],
    value: 'URL',
    about: 'management address (MOORING_URL; else that of the platform in the data folder)',
    rule: { test: isWebAddress, expected: webAddress },
  },
  onlyShowErrors: { kind: 'switch', names: ['--only-show-errors'], about: 'no progress, no notes' },
  debug: { kind: 'switch', names: ['--debug'], about: 'show where an error came from' },
  help: { kind: 'switch', names: ['--help', '-h'], about: 'show this' },
  verbose: { kind: 'switch', names: ['--verbose'], about: 'taken for Azure’s sake', hidden: true },
  resourceGroup: {
    kind: 'text',
    names: ['--resource-group', '-g'],
    value: 'NAME',
    about: 'taken for Azure’s sake',
    hidden: true,
  },
  workspace: {
    kind: 'text',
    names: ['--workspace-name', '-w', '--workspace'],
    value: 'NAME',
    about: 'taken for Azure’s sake',
    hidden: true,
  },
  subscription: { kind: 'text', names: ['--subscription'], value: 'ID', about: 'taken for Azure’s sake', hidden: true },
} as const;
